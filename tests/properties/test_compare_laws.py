"""Laws of comparing: nothing differs from itself, and the changes lead from before to after."""

from __future__ import annotations

import copy
import re

from hypothesis import given
from hypothesis import strategies as st

from changelog_tracker.diff.compare import compare
from changelog_tracker.diff.flatten import flatten
from changelog_tracker.model import Tree

STEP = re.compile(r"\[[^\[\]]*\]|\([a-z]+\)|[^.\[\]]+")
SCALARS = st.sampled_from([None, True, False, 0, 1, "", "a", "B", {"secret": "k:1"}])
VALUES = SCALARS | st.lists(st.sampled_from("xyz"), unique=True, max_size=3).map(sorted)
NAMES = st.sampled_from(["one", "two", "three", "(text)", "(clear)"])


def item(key, tree):
    tree.keys, tree.label = {"name": key}, f"[name='{key}']"
    return tree


def trees(depth=1):
    """Draw a tree; what is an item has the key `name`, and order matters at the `ordered` ones."""
    below = trees(depth - 1) if depth else st.builds(Tree, values=st.dictionaries(NAMES, VALUES))

    @st.composite
    def draw_tree(draw):
        keys = draw(st.lists(st.sampled_from("abcd"), unique=True, max_size=3))
        return Tree(
            values=draw(st.dictionaries(NAMES, VALUES, max_size=3)),
            parts=draw(st.dictionaries(st.sampled_from(["p", "q"]), below, max_size=2)),
            items={key: item(key, draw(below)) for key in keys},
            sequence=draw(st.lists(below, max_size=3)),
            ordered=depth % 2 == 0,
        )

    return draw_tree()


# --- apply: an own reading of flat settings and of changes, that shares no code with compare ----


def nested(flat):
    """Read flat settings back: values, parts, items by label with their order, and the sequence."""
    root = new()
    for setting, value in flat:
        put(root, STEP.findall(setting), value)
    return root


def new():
    return {"values": {}, "parts": {}, "items": {}, "sequence": [], "order": None}


def put(node, steps, value):
    *above, last = steps
    for step in above:
        node = child(node, step)
    if last == "(order)":
        node["order"] = value
    elif last.startswith("["):
        fill(child(node, last), value)
    else:
        node["values"][last] = value


def child(node, step):
    if re.fullmatch(r"\[\d+\]", step):
        number = int(step[1:-1])
        while len(node["sequence"]) < number:
            node["sequence"].append(new())
        return node["sequence"][number - 1]
    return node["items" if step.startswith("[") else "parts"].setdefault(step, new())


def fill(node, value):
    """Put an element's one value, an object, into its place."""
    for name, one in value.items():
        if name == "(items)":
            fill_items(node, one)
        elif isinstance(one, dict) and one.keys() != {"secret"}:
            fill(child(node, name), one)
        elif isinstance(one, list) and one and isinstance(one[0], dict):
            fill_items(child(node, name), one)
        elif name != "name":
            node["values"][name] = one


def fill_items(node, members):
    for member in members:
        if "name" in member:
            fill(child(node, f"[name='{member['name']}']"), member)
        else:
            node["sequence"].append(new())
            fill(node["sequence"][-1], member)


def applied(node, changes):
    """Apply changes: what left goes first, by its old place; then what came, by its new one."""
    node = copy.deepcopy(node)
    last = {"removed": 0, "added": 1, "changed": 2}
    removed = [c for c in changes if c.action == "removed" and is_place(c.setting)]
    added = [c for c in changes if c.action == "added" and is_place(c.setting)]
    rest = [c for c in changes if not is_place(c.setting)]
    # A place below a place counts as it is after the outer one has moved.
    for change in sorted([*removed, *added, *rest], key=lambda c: depth_and_turn(c, last)):
        *above, step = STEP.findall(change.setting)
        at = node
        for one in above:
            at = child(at, one)
        if change in removed:
            del at["sequence"][int(step[1:-1]) - 1]
        elif change in added:
            at["sequence"].insert(int(step[1:-1]) - 1, new())
            fill(at["sequence"][int(step[1:-1]) - 1], change.after)
        elif step == "(order)":
            at["order"] = change.after
        elif step.startswith("["):
            at["items"].pop(step, None)
            if change.action == "added":
                fill(child(at, step), change.after)
        elif change.action == "removed":
            del at["values"][step]
        else:
            at["values"][step] = change.after
    return node


def is_place(setting):
    return re.search(r"(^|\.)\[\d+\]$", setting) is not None


def depth_and_turn(change, last):
    steps = STEP.findall(change.setting)
    number = int(steps[-1][1:-1]) if is_place(change.setting) else 0
    turn = last[change.action] if number else 3
    return len(steps), turn, -number if turn == 0 else number


def plain(node):
    """Leave out what says nothing: parts that are empty, and how a set happens to stand."""
    parts = {name: plain(part) for name, part in node["parts"].items()}
    return {
        "values": node["values"],
        "parts": {name: part for name, part in parts.items() if any(part.values())},
        "items": {label: plain(one) for label, one in node["items"].items()},
        "sequence": [plain(one) for one in node["sequence"]],
    }


@given(trees())
def test_nothing_differs_from_itself(tree):
    """compare(a, a) is empty."""
    assert compare(tree, copy.deepcopy(tree)) == []


@given(trees(), trees())
def test_the_changes_lead_from_before_to_after(before, after):
    """Applied to the settings before, the changes give the settings after."""
    got = applied(nested(flatten(before)), compare(before, after))
    assert plain(got) == plain(nested(flatten(after)))


@given(trees(), trees())
def test_the_changes_lead_back(before, after):
    """What came one way goes the other, with the values exchanged."""
    there = {(c.setting, c.action, repr(c.before), repr(c.after)) for c in compare(before, after)}
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    values = [c for c in compare(after, before) if not re.search(r"\[\d+\]|\(order\)", c.setting)]
    back = {(c.setting, turned[c.action], repr(c.after), repr(c.before)) for c in values}
    assert back <= there
    assert {one for one in there if not re.search(r"\[\d+\]|\(order\)", one[0])} == back


@given(trees(depth=0), st.randoms())
def test_the_order_of_an_ordered_collection_is_kept(tree, random):
    """What stayed, then what came, then the change of order: that is the order after."""
    keys = list(tree.items)
    random.shuffle(keys)
    after = copy.deepcopy(tree)
    after.items = {key: after.items[key] for key in keys}
    extra = item("z", Tree())
    after.items = {"z": extra, **after.items} if random.random() < 0.5 else after.items
    changes = compare(tree, after)
    said = [c.after for c in changes if c.setting == "(order)"]
    node = applied(nested(flatten(tree)), changes)
    order = said[0] if said else [*node["items"]]
    assert order == [one.label for one in after.items.values()]


def shuffled(tree, random):
    """Write the same settings in another order."""
    again = copy.copy(tree)
    for name in ("values", "parts", "items"):
        pairs = list(getattr(tree, name).items())
        if name != "items" or not tree.ordered:
            random.shuffle(pairs)
        setattr(again, name, dict(pairs))
    again.parts = {name: shuffled(part, random) for name, part in again.parts.items()}
    again.items = {name: shuffled(one, random) for name, one in again.items.items()}
    return again


@given(trees(), st.randoms(use_true_random=False))
def test_the_order_of_a_set_makes_no_difference(tree, random):
    """Attributes, and elements of what has no order, may stand in any order."""
    assert compare(tree, shuffled(tree, random)) == []
