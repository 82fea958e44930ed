"""The page docs/catalogue.md, made from the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.catalogue.count import coverage
from changelog_tracker.catalogue.loader import nouns
from changelog_tracker.catalogue.noise import noise_rules
from changelog_tracker.catalogue.registry import ALL_VALUES, registry_values
from changelog_tracker.catalogue.sections import sections
from changelog_tracker.catalogue.shapes import VERSIONS
from changelog_tracker.catalogue.versions import versions
from changelog_tracker.catalogue.windows import windows_kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HEAD = """\
# Catalogue: what is tracked

Made from the files in `changelog_tracker/catalogue` by `catalogue.markdown()`; a test compares the
two. Each setting by itself: `changelog-tracker catalogue`."""
_READ_ONLY = """
What has no number of fields is read and shown, and never written. A field marked as kept in the
metabase is unknown in a reading with `-ADPropertiesOnly`."""
_WINDOWS = """
No script writes anything of these kinds: `manual.md` of a replay says what to do by hand.

The values of `RegistryValue`, with keys below `HKLM`:
"""
_UNCONFIRMED = """
## Unconfirmed

What has no source but experience; a site that knows better changes one line of the file.
"""


def markdown() -> str:
    """Write the page: nouns, sections, Windows, versions, coverage, noise, what is unconfirmed."""
    parts = [
        _HEAD,
        _heading("Exchange nouns"),
        _nouns(),
        _READ_ONLY,
        _heading("IIS and ASP.NET sections"),
        _sections(),
        _heading("Windows"),
        _windows(),
        _WINDOWS,
        _registry(),
        _heading("Versions"),
        _versions(),
        _heading("Documented writable parameters covered"),
        _coverage(),
        _heading("Noise"),
        _noise(),
        _UNCONFIRMED,
        _unconfirmed(),
    ]
    return "\n".join(parts)


def _heading(text: str) -> str:
    return f"\n## {text}\n"


def _nouns() -> str:
    rows = [
        (
            noun.name,
            noun.scope,
            str(sum(field.writable for field in noun.fields.values())) if noun.is_written else "",
            noun.read,
            noun.write if noun.is_written else "",
            ", ".join(noun.restart),
        )
        for _, noun in sorted(nouns().items())
    ]
    return _table(("noun", "scope", "fields", "read", "write", "restart"), rows)


def _sections() -> str:
    return "\n".join(f"- `{name}`" for name in sections())


def _windows() -> str:
    rows = [
        (one.name, one.about, f"{one.resource}: `{one.example}`", ", ".join(one.fields), one.origin)
        for one in windows_kinds().values()
    ]
    return _table(("kind", "tells", "resource", "settings", "read from"), rows)


def _registry() -> str:
    """Give one row for the values of a key that are for one purpose."""
    names: dict[tuple[str, str], list[str]] = {}
    for one in registry_values():
        every = "all, also of keys below" if one.tree else "all"
        shown = every if one.name == ALL_VALUES else f"`{one.name}`"
        purpose = f"{one.purpose} (Unconfirmed.)" if one.unconfirmed else one.purpose
        names.setdefault((f"`{one.key}`", purpose), []).append(shown)
    rows = [(key, ", ".join(many), purpose) for (key, purpose), many in names.items()]
    return _table(("key", "values", "what they do"), rows)


def _versions() -> str:
    rows = [
        (v.name, _dotted(v.first), _dotted(v.before), v.root, v.powershell)
        for v in versions().values()
    ]
    return _table(("version", "from build", "below build", "folder", "PowerShell"), rows)


def _coverage() -> str:
    counted = {(noun, version): (have, of) for version, noun, have, of in coverage()}
    names = dict.fromkeys(noun for noun, _ in counted)
    rows = [
        (name, *(_share(counted.get((name, version))) for version in VERSIONS)) for name in names
    ]
    return _table(("noun", *VERSIONS), rows)


def _share(counted: tuple[int, int] | None) -> str:
    return "" if counted is None else f"{counted[0]} of {counted[1]}"


def _noise() -> str:
    rows = []
    for rule in noise_rules():
        what = [f"`{name}`" for name in rule.properties]
        if rule.pattern:
            what.append(f"`{rule.pattern}`".replace("|", "\\|"))
        about = ", ".join((*rule.nouns, *rule.sections)).replace("*", "all")
        rows.append((rule.name, about, ", ".join(what) or "order", rule.why))
    return _table(("rule", "about", "what", "why"), rows)


def _unconfirmed() -> str:
    lines = [
        f"- {name}: {', '.join(noun.unconfirmed)}"
        for name, noun in sorted(nouns().items())
        if noun.unconfirmed
    ]
    lines += [
        f"- Exchange {version.name}: {', '.join(version.unconfirmed)}"
        for version in versions().values()
        if version.unconfirmed
    ]
    lines += [
        f"- {kind.name}: {', '.join(kind.unconfirmed)}"
        for kind in windows_kinds().values()
        if kind.unconfirmed
    ]
    lines += [f"- noise {rule.name}" for rule in noise_rules() if rule.unconfirmed]
    return "\n".join(lines) + "\n"


def _dotted(numbers: Sequence[int]) -> str:
    return ".".join(str(number) for number in numbers)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
