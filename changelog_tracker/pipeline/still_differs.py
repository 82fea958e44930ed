"""
What of a wanted state a recovered server still lacks, and how much of it is as wanted.

What a server has anew with each installation can nobody set back, and it is left out: identities,
what IIS encrypts with the machine's own key, self-signed certificates of the same subject.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from changelog_tracker.catalogue.own import is_own
from changelog_tracker.diff.classify import IDENTITY, REBUILD_SIGNS, WINDOWS_CERTIFICATE
from changelog_tracker.diff.compare import compare, is_secret
from changelog_tracker.diff.product_update import ONE_PER_SERVER, SERVER
from changelog_tracker.diff.timeline import step
from changelog_tracker.diff.unsaid import Unsaid, is_part
from changelog_tracker.model import Change, Step, Taken
from changelog_tracker.pipeline.contents import differ
from changelog_tracker.pipeline.own_names import CERTIFICATE
from changelog_tracker.pipeline.sister import answered
from changelog_tracker.pipeline.surroundings import classified
from changelog_tracker.store.history import taken_of_known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from changelog_tracker.model import Settings, Tree, Value
    from changelog_tracker.pipeline.server_state import ServerState

_CERTIFICATES = (CERTIFICATE, WINDOWS_CERTIFICATE)
_BOUND = ("SslBinding", "SslCertHash")
# The attributes that the schema of IIS marks as encrypted.
_ENCRYPTED = frozenset({"password", "adPassword", "encryptedValue"})


@dataclass(frozen=True, slots=True)
class Differing:
    """
    What two states of one server differ in.

    Args:
        changes: From wanted to found, with their classes.
        compared: How many settings of the wanted state were compared.
        as_wanted: How many of them are as wanted.
        encrypted: Settings that two machines encrypt with a key of their own.
        renewed: Thumbprints of self-signed certificates that stand for older ones.
    """

    changes: Sequence[Change]
    compared: int
    as_wanted: int
    encrypted: Sequence[str]
    renewed: Sequence[str]


def fact(state: ServerState, name: str) -> str | None:
    """Give what the server itself is known by, where the snapshot's own files tell it."""
    held = state.known.held.get((SERVER, ONE_PER_SERVER, name))
    if held is None or not answered(state.known, held.reading):
        return None
    found = (state.flat(held.resource.key) or {}).get(name)
    return found if isinstance(found, str) else None


def other_machine(wanted: ServerState, found: ServerState) -> bool | None:
    """Tell whether Windows was installed anew between two states; None where nothing tells."""
    pairs = [(wanted.facts.get(name), fact(found, name)) for name in REBUILD_SIGNS]
    told = [(old, new) for old, new in pairs if old is not None and new is not None]
    return any(old != new for old, new in told) if told else None


def is_encrypted(kind: str, setting: str | None, value: Value) -> bool:
    """Tell whether IIS encrypts a value with the machine's own key."""
    name = (setting or "").rpartition(".")[2]
    return kind.startswith("Iis") and name in _ENCRYPTED and is_secret(value)


def still_differs(wanted: ServerState, found: ServerState) -> Differing:
    """
    Hold what a server was found to be against its wanted state.

    A reading that the server did not answer says nothing, whatever was known of it before.
    """
    contents = {**wanted.contents, **found.contents}
    taken = _answered(found)
    raw = step(wanted.known, taken, differ(contents.__getitem__)).changes
    pairs = _renewed(wanted, found, raw)
    anew = other_machine(wanted, found) is True
    kept: list[Change] = []
    encrypted: list[str] = []
    for change in raw:
        if anew and all(
            is_encrypted(change.kind, change.setting, side)
            for side in (change.before, change.after)
        ):
            encrypted.append(change.path)
        elif not _is_anew(change, pairs):
            kept.append(change)
    kept += _between_certificates(wanted, found, pairs)
    # What the newest snapshot says of mitigations and of /Rpc tells their classes.
    opened = {key: held for key, held in found.known.held.items() if held.reading in taken.readings}
    step_ = Step(changes=kept, opened=opened)
    changes = classified(wanted.known, step_, contents.__getitem__)
    compared, as_wanted = _counted(wanted, found, changes, kept, set(encrypted) | {*pairs})
    return Differing(changes, compared, as_wanted, encrypted, sorted(pairs.values()))


def _answered(found: ServerState) -> Taken:
    taken = taken_of_known(found.known)
    readings = {
        key: reading for key, reading in taken.readings.items() if answered(found.known, key)
    }
    # A resource that was not read, though its kind was, is unread here too.
    parts = {
        key: last.reading for key, last in found.known.readings.items() if is_part(last.reading.id)
    }
    return replace(
        taken,
        readings=readings | parts,
        held={key: held for key, held in taken.held.items() if key in readings},
    )


def _is_anew(change: Change, pairs: dict[str, str]) -> bool:
    if change.kind in _CERTIFICATES and change.resource.upper() in {*pairs, *pairs.values()}:
        return True
    if (change.kind, change.setting) == _BOUND:
        # The binding shows the new one of a pair, as it showed the old one.
        return pairs.get(str(change.before).upper()) == str(change.after).upper()
    return change.setting in IDENTITY


# --- self-signed certificates ---------------------------------------------------------------------


def _renewed(wanted: ServerState, found: ServerState, raw: Sequence[Change]) -> dict[str, str]:
    """Give, by thumbprint, the self-signed certificate that stands in the place of a lost one."""
    sides: tuple[dict[str, list[str]], ...] = (defaultdict(list), defaultdict(list))
    for change in raw:
        whole = change.setting is None and change.action != "changed"
        if change.kind not in _CERTIFICATES or not whole:
            continue
        side, state = (0, wanted) if change.action == "removed" else (1, found)
        settings = _certificate(state, change.resource)
        if settings.get("IsSelfSigned") is True or (
            settings.get("Subject") and settings.get("Subject") == settings.get("Issuer")
        ):
            sides[side][str(settings.get("Subject")).casefold()].append(change.resource.upper())
    return {
        old: new
        for subject, gone in sides[0].items()
        for old, new in zip(dict.fromkeys(gone), dict.fromkeys(sides[1][subject]), strict=False)
    }


def _between_certificates(
    wanted: ServerState, found: ServerState, pairs: dict[str, str]
) -> list[Change]:
    """Give what differs between two certificates besides what each has of its own."""
    changes = []
    for old, new in pairs.items():
        trees = [_shared(wanted, old), _shared(found, new)]
        if trees[0] is not None and trees[1] is not None:
            changes += [
                Change(CERTIFICATE, new, one.setting, one.action, one.before, one.after)
                for one in compare(trees[0], trees[1])
            ]
    return changes


def _shared(state: ServerState, thumbprint: str) -> Tree | None:
    held = state.known.held.get((CERTIFICATE, thumbprint.casefold(), ""))
    if held is None:
        return None
    tree = state.tree(held)
    values = {name: v for name, v in tree.values.items() if not is_own(CERTIFICATE, name)}
    return replace(tree, values=values)


def _certificate(state: ServerState, thumbprint: str) -> Settings:
    """Give what Exchange says of a certificate, else what Windows does."""
    told = (state.flat((kind, thumbprint.casefold(), "")) for kind in _CERTIFICATES)
    return next(filter(None, told), {})


# --- how much is as wanted ------------------------------------------------------------------------


def _counted(
    wanted: ServerState,
    found: ServerState,
    changes: Sequence[Change],
    kept: Sequence[Change],
    left_out: set[str],
) -> tuple[int, int]:
    """Give how many wanted settings were compared, and how many of them are as wanted."""
    folded = {below.key for change in changes for below in change.folded}
    unsaid = Unsaid.of_known(found.known.readings)
    differing: dict[tuple[str, str], list[str | None]] = defaultdict(list)
    for change in kept:
        if change.key not in folded:
            differing[change.kind, change.resource.casefold()].append(change.setting)
    compared = wrong = 0
    for key, held in wanted.known.held.items():
        if not answered(found.known, held.reading) or held.resource.name.upper() in left_out:
            continue
        if key in unsaid:
            continue
        names = [
            name
            for name in wanted.flat(key) or {}
            if name not in IDENTITY and f"{held.resource}.{name}" not in left_out
        ]
        compared += len(names)
        gone = differing.get(key[:2], ())
        wrong += sum(1 for name in names if any(_covers(one, name) for one in gone))
    return compared, compared - wrong


def _covers(change: str | None, setting: str) -> bool:
    return change is None or setting == change or setting.startswith(f"{change}.")
