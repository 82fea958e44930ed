"""
Laws of a replay's plan: done by a small executor, it gives the customised state, and only that.

Wanted and found are the sample server with random edits each; the steps come from the comparison
that `replay` uses, and the state after them is read as a snapshot is.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import uuid
import xml.etree.ElementTree as ET
from pathlib import Path
from random import Random
from typing import get_args

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "journeys"))
from bundles import IIS, WINDOWS, Program
from replay_customised import INSTALL, NOUNS, VERSION, customised, defaults
from replay_executor import APPLICATIONS, SHOWN_IN_IIS, run

from changelog_tracker import catalogue
from changelog_tracker.cli.session import Globals, reading
from changelog_tracker.demo.exports import Kinds, clixml
from changelog_tracker.demo.sample import installed
from changelog_tracker.diff.classify import Surroundings, classify, without_identity
from changelog_tracker.diff.flatten import flatten
from changelog_tracker.model import Change, ResourceId
from changelog_tracker.parse.iis_config import application_host_records, web_config_records
from changelog_tracker.parse.xml import read_xml
from changelog_tracker.pipeline.contents import differ, tree_of
from changelog_tracker.pipeline.drift import between
from changelog_tracker.pipeline.replaying.make import Wish, make_plan
from changelog_tracker.replay.order import REDIRECT
from changelog_tracker.replay.plan import GROUPS, Element, Op
from changelog_tracker.replay.planner import plan_steps
from changelog_tracker.replay.scene import Drifted, Scene
from changelog_tracker.store.snapshots import snapshots_of

TURNED = {"added": "removed", "removed": "added", "changed": "changed"}
DIFFER = differ(lambda content: content)
NOTHING = (None, "", [])
SERVER = defaults()


def snapshot(server):
    """Read a server as the program does: content of each resource by its key."""
    found = {}
    for noun, resource in server.objects:
        content = json.dumps(server.shown(noun, resource), sort_keys=True).encode()
        found[ResourceId(noun, resource)] = content
    for path, root in server.files.items():
        blocks = list(read_xml(ET.tostring(root), path or "applicationHost.config"))
        if path is None:
            records = application_host_records(blocks)
        else:
            name = path.replace(INSTALL, "%ExchangeInstallPath%").replace("\\", "/")
            records = web_config_records(blocks, name)
        found |= {one.resource: one.content for one in records}
    return {resource.key: (resource, content) for resource, content in found.items()}


def differences(wanted, found):
    """Give what differs as the pipeline does: before is found, after is wanted."""
    changes = []
    for key in dict.fromkeys((*found, *wanted)):
        old, new = wanted.get(key, (None, None)), found.get(key, (None, None))
        if old[1] == new[1]:
            continue
        resource = new[0] or old[0]
        changes += [
            Change(resource.kind, resource.name, *one) for one in DIFFER(resource, old[1], new[1])
        ]
    return [
        dataclasses.replace(one, action=TURNED[one.action], before=one.after, after=one.before)
        for one in classify(changes, Surroundings())
    ]


def settings_of(state):
    def settings(kind, name):
        held = state.get(ResourceId(kind, name).key)
        return None if held is None else dict(flatten(tree_of(*held)))

    return settings


def planned(wanted, found):
    """Make the plan between two snapshots."""
    scene = Scene(
        server="EX01",
        version=VERSION,
        install_path=INSTALL + "\\",
        wanted_of=settings_of(wanted),
        found_of=settings_of(found),
        applications=frozenset(
            key[1].rstrip("/")
            for state in (wanted, found)
            for key in state
            if key[0] == "IisApplication"
        ),
        files=frozenset(key[1].rpartition(" : ")[0] for key in found if key[0] == "ConfigFile"),
    )
    return plan_steps([Drifted(one) for one in differences(wanted, found)], scene)


def flat(state):
    """Give every setting of a snapshot, and of each resource that it is there."""
    return {
        (*key[:2], name): value
        for key, held in state.items()
        for name, value in [("", True), *flatten(tree_of(*held))]
    }


def is_named(hand, kind, resource, setting):
    """Tell whether what is done by hand names a setting, its element, its order or its resource."""
    if (hand.kind, hand.resource.casefold()) != (kind, resource):
        return False
    told = hand.setting
    if told is None or setting in {"", told} or setting.startswith(f"{told}."):
        return True
    whole = told.endswith("]") and setting.startswith(told)
    return whole or (
        setting.endswith("(order)") and told.startswith(setting.removesuffix("(order)"))
    )


def is_shown(kind, resource, setting):
    """Tell whether a parameter shows an attribute: as it is in the end, inherited or not."""
    place, _, section = resource.partition(" : ")
    if kind != "IisSection":
        return False
    return any(
        place.partition("/")[2] == APPLICATIONS[noun].casefold()
        and section == SHOWN_IN_IIS[name][0].casefold()
        and setting in {"", ".".join((*SHOWN_IN_IIS[name][1], SHOWN_IN_IIS[name][2]))}
        for noun in APPLICATIONS
        for name in SHOWN_IN_IIS
        if name in SERVER.fresh[noun]
    )


def wrong(wanted, found, after, by_hand):
    """Give each setting that is neither as wanted, nor left as it was found and named for it."""
    old, new, now = flat(found), flat(wanted), flat(after)
    bad = []
    for key in {**old, **new, **now}:
        was, aim, stands = (state.get(key) for state in (old, new, now))
        if aim == stands or (aim in NOTHING and stands in NOTHING):
            continue
        named = any(is_named(one, *key) for one in by_hand)
        # Flags hold more than what a parameter shows.
        if is_shown(*key) and (named or not key[2].endswith("sslFlags")):
            continue
        if not (named and stands == was):
            bad.append((key, was, aim, stands))
    return bad


def put_back(chance):
    """Do the plan between two random states; give its steps after holding the laws."""
    there, lost = customised(SERVER, chance, 6), customised(SERVER, chance, 2)
    wanted, found = snapshot(there), snapshot(lost)
    steps, by_hand = planned(wanted, found)
    run(steps, lost)
    after = snapshot(lost)
    assert wrong(wanted, found, after, by_hand) == []
    assert [one.title for one in planned(wanted, after)[0] if not is_stamped(one)] == []
    return steps


def is_stamped(step):
    """Tell a token check that Set- has written out where none stood, and that means the same."""
    return step.op == "clear" and [goal.expected for goal in step.goals] == ["None"]


def orders(steps):
    """Hold the laws of the order, which the executor does not need."""
    # What goes so that it can be made anew goes with what is made.
    needed = {need for step in steps for need in step.needs}
    early = [step for step in steps if step.op == "drop" and step.id in needed]
    places = [GROUPS.index("create" if one in early else one.group) for one in steps]
    assert places == sorted(places)
    at = {step.id: number for number, step in enumerate(steps)}
    for step in steps:
        assert all(at[need] < at[step.id] for need in step.needs)
    assert not [one for one in steps if one.op == "set" and before(steps, one, is_new)]
    redirects = [one.target.location for one in steps if is_redirect(one)]
    for number, place in enumerate(redirects):
        assert not [one for one in redirects[number + 1 :] if one.startswith(f"{place}/")]


def before(steps, one, kind):
    """Give the steps behind one that are of a kind and about the same object."""
    behind = steps[steps.index(one) + 1 :]
    return [each for each in behind if kind(each) and each.target == one.target]


def is_new(step):
    return step.op == "new"


def is_redirect(step):
    return (
        isinstance(step.target, Element)
        and step.target.section == REDIRECT
        and (step.target.file is None and step.target.location != "")
    )


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.long)])
def test_a_plan_gives_the_wanted_state_and_nothing_else(count):
    """
    What is done by hand apart, every setting is as wanted, and a new plan has no step.

    A thousand take about a minute and a half on two busy cores.
    """

    @settings(max_examples=count, deadline=None, database=None, derandomize=True)
    @given(st.integers(0, 2**32))
    def law(seed):
        steps = put_back(Random(seed))
        orders(steps)
        for op in {step.op for step in steps}:
            event(op)

    law()


def test_the_random_states_need_every_kind_of_step():
    """A seeded sample has each operation, each group that has no service of its own, each owner."""
    steps = [step for seed in range(40) for step in put_back(Random(seed))]
    assert {step.op for step in steps} == set(get_args(Op))
    assert {step.owner for step in steps} == {"shell", "iis", "file"}
    assert set(GROUPS) - {step.group for step in steps} == {"undocumented"}


# --- the same through bundles, a store and `make_plan` ---


def files_of(server, number):
    """Write a server as a collector would; the number makes what each installation has anew."""
    types = {noun: held.type_name for noun, held in installed().nouns.items()}
    found = {}
    for noun in NOUNS:
        # Of a noun that has no object any more, the answer is none.
        objects = [as_told(server, key, number) for key in server.objects if key[0] == noun]
        nothing = [name for one in objects for name, value in one.items() if value in (None, "")]
        kinds = Kinds(uri=nothing, guid=["Guid"], enum={}, object={}, list={})
        found[f"exchange/{noun}.clixml"] = clixml(types[noun], objects, kinds)
    for path, root in server.files.items():
        name = IIS if path is None else "files/" + path.replace(":", "").replace("\\", "/")
        found[name] = ET.tostring(root)
    return found


def as_told(server, key, number):
    noun, resource = key
    told = {"Server": "EX01", "Identity": f"EX01\\{resource}", **server.shown(*key)}
    fields = catalogue.nouns()[noun].fields
    for name, value in told.items():
        if name in fields and fields[name].kind == "size" and isinstance(value, int):
            told[name] = f"{value} B ({value:,} bytes)"
    if noun == "ClientAccessService":
        told["Identity"] = "EX01"
    if noun in APPLICATIONS:
        told |= {"Name": resource, "Guid": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{key}{number}"))}
    return told


def through_the_store(folder, chance):
    """Take defaults, customised, recovered; plan, do it, take that, and plan again."""
    there, lost = customised(SERVER, chance, 6), SERVER.copy()
    program = Program(folder)
    states = [(SERVER, 0, "-1"), (there, 0, "-1"), (lost, 1, "-2")]
    for day, (server, number, sid) in enumerate(states, 1):
        take(program, day, files_of(server, number), sid)
    with reading(Globals(str(program.store), None)) as (connection, _):
        plan, _ = make_plan(connection, Wish("EX01", to="2", from_="latest"))
    run(plan.steps, lost)
    take(program, 4, files_of(lost, 1), "-2")
    with reading(Globals(str(program.store), None)) as (connection, _):
        again, _ = make_plan(connection, Wish("EX01", to="2", from_="latest"))
        ids = {one.seq: one for one in snapshots_of(connection, 1)}
        left = list(between(connection, "EX01", ids[2], ids[max(ids)]))
    bad = wrong(snapshot(there), snapshot(SERVER), snapshot(lost), plan.by_hand)
    return plan, bad, again.steps, [each for one in left for each in opened(one.change)]


def opened(change):
    """Give what a change is besides a server's new identity."""
    return without_identity(change)[1:] if change.category == "recovery" else [change]


def take(program, day, files, sid):
    windows = {**WINDOWS, "machine_sid": WINDOWS["machine_sid"] + sid}
    answer = program.take(f"2026-11-{day:02}T10:00:00Z", files, windows=windows)
    assert answer.code == 0, answer.err


@pytest.mark.parametrize("count", [4, pytest.param(100, marks=pytest.mark.long)])
def test_a_plan_from_the_store_gives_the_wanted_state(tmp_path, count):
    """From bundles to a plan and back: nothing but what is done by hand differs at the end."""
    planned_ = 0
    for seed in range(count):
        plan, bad, again, left = through_the_store(tmp_path / str(seed), Random(seed))
        assert bad == []
        assert [one.title for one in again if not is_stamped(one)] == []
        assert [one.path for one in left if not is_told(one, plan.by_hand)] == []
        planned_ += len(plan.steps)
    assert planned_ > count


def is_told(change, by_hand):
    """Tell whether a difference is left to a person, or shows elsewhere what is as wanted."""
    key = (change.kind, change.resource.casefold(), change.setting or "")
    return is_shown(*key) or any(is_named(one, *key) for one in by_hand)
