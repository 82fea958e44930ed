"""
Tells `year/story.toml`: which snapshots were taken, and how a server stood at a time.

A state is `{Kind[resource]: {setting: value}}`, with the names of the log.
"""

from __future__ import annotations

import json
import re
import tomllib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

STORY = tomllib.loads((Path(__file__).parent / "year" / "story.toml").read_text("utf-8"))
SERVER = "ExchangeServer[(server)]"
SUNDAYS = [datetime(2025, 11, 2, tzinfo=UTC) + timedelta(weeks=week) for week in range(52)]
_RESOURCE = re.compile(r"(\w+)\[(.*)\]")

State = dict[str, dict[str, Any]]


def taken() -> list[Taken]:
    """Give the snapshots of the year, in the order in which they come in."""
    found = {Taken(name, at, at) for name in STORY["server"] for at in _weekly(name)}
    for one in STORY["hourly"]:
        hours = (one["until"] - one["from"]) // timedelta(hours=1)
        times = [one["from"] + timedelta(hours=hour) for hour in range(hours + 1)]
        found |= {Taken(one["on"], at, at) for at in times}
    found |= {Taken(one["on"], one["at"], one["received"]) for one in STORY["late"]}
    return sorted(found, key=lambda one: (one.received, one.server))


def _weekly(server: str) -> Iterator[datetime]:
    local = STORY["server"][server]["weekly"]
    for day in SUNDAYS:
        at = datetime.combine(day, local, UTC)
        at -= timedelta(minutes=offset_min(server, at))
        if not any(_meant(one, server, at) for one in STORY["gap"]):
            yield at


def offset_min(server: str, at: datetime) -> int:
    """Give what a server's clock is ahead of UTC."""
    return next(minutes for since, minutes in STORY["server"][server]["clock"][::-1] if since <= at)


def _meant(one: dict[str, Any], server: str, at: datetime) -> bool:
    """Tell whether an entry of the story is about a server at a time."""
    return one["on"] == server and one.get("from", one.get("at")) <= at <= one.get("until", at)


def state(server: str, at: datetime) -> State:
    """Give how a server stands at a time."""
    found = json.loads(json.dumps({SERVER: STORY["server"][server]["facts"], **STORY["settings"]}))
    for event in sorted(STORY["event"], key=lambda one: one["at"]):
        if server in event["on"] and event["at"] <= at:
            for path in event.get("remove", ()):
                resource, _, setting = path.partition("].")
                (found[f"{resource}]"] if setting else found).pop(setting or path)
            for resource, settings in event.get("set", {}).items():
                found.setdefault(resource, {}).update(settings)
    build = found[SERVER]["Build"]
    found[SERVER] |= {"BundleBuild": build, "FolderBuild": build}
    text = json.dumps(found).replace("{build}", build).replace("{server}", server.lower())
    for resource, settings in (found := json.loads(text)).items():
        if "VirtualDirectory[" in resource and not resource.startswith("Iis"):
            settings.setdefault("Guid", guid(f"{server} {resource}"))
            settings |= {name: None for name, value in settings.items() if value == ""}
    return found


def why(one: Taken, path: str) -> list[str] | None:
    """Give reason, ticket and name for a change that a snapshot shows; None: nobody said."""
    events = [event for event in STORY["event"] if one.server in event["on"]]
    events = [event for event in events if event["at"] <= one.at and _touches(event, path)]
    return max(events, key=lambda event: event["at"]).get("why")


def _touches(event: dict[str, Any], path: str) -> bool:
    places = [*event.get("remove", ())]
    for resource, settings in event.get("set", {}).items():
        places += [resource] if path == resource else [f"{resource}.{name}" for name in settings]
    return any(path == place or path.startswith(f"{place}.") for place in places)


def guid(of: str) -> str:
    """Make up a GUID, always the same for the same thing."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{of}.contoso.com"))


@dataclass(frozen=True)
class Taken:
    """A snapshot: of which server, from when, and when it came in."""

    server: str
    at: datetime
    received: datetime

    @property
    def is_ad_only(self) -> bool:
        """Tell whether only Active Directory was asked."""
        return any(one["on"] == self.server and one["at"] == self.at for one in STORY["ad_only"])

    @property
    def unread(self) -> list[str]:
        """The files that cannot be read."""
        return [one["file"] for one in STORY["unread"] if _meant(one, self.server, self.at)]


def parts(resource: str) -> tuple[str, str]:
    """Part `Kind[resource]`."""
    found = _RESOURCE.fullmatch(resource)
    assert found, resource
    return found[1], found[2]
