"""
A small executor: does the steps of a plan to a server that is only data.

It knows the plan's data and what Microsoft documents of the cmdlets, and nothing of how the plan
was made. A step that does not find what it expects, whose needs were not done before, or that
would lose more than it says, raises.
"""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from changelog_tracker.replay.plan import Goal, Hop, PlanStep

AUTHENTICATION = "system.webServer/security/authentication"
ACCESS = "system.webServer/security/access"
SITES = "system.applicationHost/sites"
ADFS = "AdfsAuthentication"
TOKEN = "ExtendedProtectionTokenChecking"
BASIC, WINDOWS, DIGEST = (
    (f"{AUTHENTICATION}/{name}Authentication", (), "enabled")
    for name in ("basic", "windows", "digest")
)
# What a cmdlet writes into IIS and reads from there: section, elements below it, attribute.
SHOWN_IN_IIS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "BasicAuthentication": BASIC,
    "BasicAuthEnabled": BASIC,
    "WindowsAuthentication": WINDOWS,
    "WindowsAuthEnabled": WINDOWS,
    "DigestAuthentication": DIGEST,
    TOKEN: (WINDOWS[0], ("extendedProtection",), "tokenChecking"),
    "RequireSSL": (ACCESS, (), "sslFlags"),
}
APPLICATIONS = {
    "OwaVirtualDirectory": "owa",
    "EcpVirtualDirectory": "ecp",
    "ActiveSyncVirtualDirectory": "Microsoft-Server-ActiveSync",
    "WebServicesVirtualDirectory": "EWS",
    "OabVirtualDirectory": "OAB",
    "AutodiscoverVirtualDirectory": "Autodiscover",
    "MapiVirtualDirectory": "mapi",
    "PowerShellVirtualDirectory": "PowerShell",
    "OutlookAnywhere": "Rpc",
}
# What New- gives an application; no parameter says another one.
POOLS = {noun: f"MSExchange{name}AppPool" for noun, name in (
    ("OwaVirtualDirectory", "OWA"), ("EcpVirtualDirectory", "ECP"),
    ("ActiveSyncVirtualDirectory", "Sync"), ("WebServicesVirtualDirectory", "Services"),
    ("OabVirtualDirectory", "OAB"), ("AutodiscoverVirtualDirectory", "Autodiscover"),
    ("MapiVirtualDirectory", "MapiFrontEnd"),
)}  # fmt: skip
WITHOUT_CASE = ("name", "path")


class RefusedError(Exception):
    """A step that a careful script does not do."""


@dataclass(slots=True)
class Server:
    """
    A server as data.

    Args:
        objects: Settings of each Exchange object, by noun and resource.
        files: Root of applicationHost.config (None) and of each file, by its Windows path.
        fresh: What New- gives an object of a noun before anything is set.
    """

    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    files: dict[str | None, ET.Element] = field(default_factory=dict)
    fresh: dict[str, dict[str, Any]] = field(default_factory=dict)

    def copy(self) -> Server:
        """Give a server of its own with the same state."""
        return Server(copy.deepcopy(self.objects), copy.deepcopy(self.files), self.fresh)

    # --- Exchange ---

    def shown(self, noun: str, resource: str) -> dict[str, Any]:
        """Give an object as Get- does, with what it reads from IIS."""
        kept = self.objects[noun, resource]
        return {name: self._read(noun, resource, name, kept[name]) for name in kept}

    def _read(self, noun: str, resource: str, name: str, kept: Any) -> Any:
        if noun not in APPLICATIONS or name not in SHOWN_IN_IIS:
            return kept
        section, way, attribute = SHOWN_IN_IIS[name]
        found = None
        for place in _above(place_of(noun, resource)):
            for element in self.found(None, place, section, [(tag, ()) for tag in way]):
                found = found or element.get(attribute)
        if name == TOKEN:
            return found or "None"
        return "Ssl" in flags(found) if name == "RequireSSL" else (found or "false") == "true"

    def put(self, noun: str, resource: str, values: dict[str, Any]) -> None:
        """Do one call of Set-, with what it does besides."""
        kept = self.objects[noun, resource]
        if values.get("FormsAuthentication") is True:
            values = {
                **values,
                **{
                    name: name == "BasicAuthentication"
                    for name in ("BasicAuthentication", "WindowsAuthentication",
                                 "DigestAuthentication")
                    if name in kept
                },
            }  # fmt: skip
        shown = self.shown(noun, resource)
        kept |= values
        for name, value in values.items():
            # What IIS says already is not written once more.
            if noun in APPLICATIONS and name in SHOWN_IN_IIS and shown[name] != value:
                self._stamp(place_of(noun, resource), name, value)

    def _stamp(self, place: str, name: str, value: Any) -> None:
        section, way, attribute = SHOWN_IN_IIS[name]
        element = self.made(None, place, section, [(tag, ()) for tag in way])
        if name == "RequireSSL":
            rest = flags(element.get(attribute)) - {"Ssl", "Ssl128"}
            told = rest | ({"Ssl", "Ssl128"} if value else set())
            element.set(attribute, ", ".join(sorted(told)) or "None")
        else:
            element.set(attribute, str(value) if name == TOKEN else str(value).lower())

    def make(self, noun: str, resource: str, path: str | None) -> None:
        """Do New-: the object and its application."""
        site = resource.rpartition(" (")[2].rstrip(")")
        self.objects[noun, resource] = {**copy.deepcopy(self.fresh[noun]), "WebSite": site}
        path = path or self.fresh[noun]["Path"]
        self.objects[noun, resource]["Path"] = path
        parent = next(iter(self.found(None, "", SITES, [("site", (("name", site),))])), None)
        if parent is None:
            raise RefusedError(f"New-{noun}: there is no site {site}")
        attributes = {"path": f"/{APPLICATIONS[noun]}", "applicationPool": POOLS[noun]}
        application = ET.SubElement(parent, "application", attributes)
        ET.SubElement(application, "virtualDirectory", {"path": "/", "physicalPath": path})
        self.put(noun, resource, {
            name: value for name, value in self.fresh[noun].items() if name in SHOWN_IN_IIS
        })  # fmt: skip

    def drop(self, noun: str, resource: str) -> None:
        """Do Remove-: the object, its application and what IIS says of the place."""
        del self.objects[noun, resource]
        site = resource.rpartition(" (")[2].rstrip(")")
        root = self.files[None]
        for parent in self.found(None, "", SITES, [("site", (("name", site),))]):
            for one in parent.findall("application"):
                if same_word(one.get("path", ""), f"/{APPLICATIONS[noun]}"):
                    parent.remove(one)
                    for place in self.tops(None, place_of(noun, resource)):
                        root.remove(place)

    # --- configuration files ---

    def tops(self, file: str | None, location: str) -> list[ET.Element]:
        """Give what holds the sections of a place."""
        root = self.files[file]
        found = [root] if location == "" else []
        for one in root.findall("location"):
            path = one.get("path", "").strip("/")
            if same_word("" if path == "." else path, location):
                found.append(one)
        return found

    def found(
        self, file: str | None, location: str, section: str, hops: Iterable[Any] = ()
    ) -> list[ET.Element]:
        """Give every element that a way leads to; a hop is a tag and its keys."""
        at = self.tops(file, location)
        for tag, keys in (*((part, ()) for part in section.split("/")), *hops):
            at = [child for one in at for child in one if answers(child, tag, keys)]
        return at

    def made(
        self, file: str | None, location: str, section: str, hops: Iterable[Any] = ()
    ) -> ET.Element:
        """Give the element that a way leads to, and make what has no key on the way."""
        way = (*((part, ()) for part in section.split("/")), *hops)
        at = self.tops(file, location)
        if not at:
            at = [ET.SubElement(self.files[file], "location", {"path": location})]
        for tag, keys in way:
            below = [child for one in at for child in one if answers(child, tag, keys)]
            if not below:
                if keys or tag == "*":
                    raise RefusedError(f"{section}: the element that this is part of is not there")
                below = [ET.SubElement(at[0], tag)]
            at = below
        if len(at) > 1 and way[-1][1]:
            raise RefusedError(f"{section}: which of {len(at)} is meant cannot be told")
        return at[0]


# --- steps ---


def run(steps: Iterable[PlanStep], server: Server) -> None:
    """
    Do steps in their order.

    Raises:
        RefusedError: One of them is not to be done as it is.
    """
    done: dict[str, PlanStep] = {}
    gone: list[str] = []
    for step in steps:
        missing = [need for need in step.needs if need not in done]
        if missing:
            raise RefusedError(f"{step.id} {step.title}: needs {missing} before")
        if step.id in done:
            raise RefusedError(f"{step.id}: stands twice")
        try:
            # What New- made in this plan is nobody's setting: any value may stand there.
            anew = any(done[need].op == "new" for need in step.needs)
            if step.owner == "shell":
                _shell(step, server, gone, anew=anew)
            else:
                _element(step, server, gone, anew=anew)
        except RefusedError as error:
            raise RefusedError(f"{step.id} {step.op} {step.title}: {error}") from error
        done[step.id] = step


def _shell(step: PlanStep, server: Server, gone: list[str], *, anew: bool) -> None:
    noun = step.target.noun
    resource = step.target.identity.partition("\\")[2] or step.resource
    key = next((k for k in server.objects if k[0] == noun and same_word(k[1], resource)), None)
    if step.op == "new":
        if key is not None:
            raise RefusedError("it is there already")
        given = {goal.name: goal.wanted for goal in step.goals}
        if not resource.endswith(f"({given.get('WebSiteName')})"):
            raise RefusedError("it would come in another site")
        server.make(noun, resource, given.get("Path"))
        return
    if key is None:
        raise RefusedError("there is no such object")
    if step.op == "drop":
        server.drop(*key)
        gone.append(place_of(*key))
        return
    shown = server.shown(*key)
    wanted = {}
    for goal in step.goals:
        if not anew:
            _as_expected(goal, shown.get(goal.name))
        if goal.wanted is None and goal.kind in {"bool", "enum", "whole", "size", "duration"}:
            raise RefusedError(f"{goal.name}: nothing is no {goal.kind}")
        wanted[goal.name] = goal.wanted
    if all(alike(goal.kind, shown.get(goal.name), goal.wanted) for goal in step.goals):
        return
    _refuse_wrong_call(noun, wanted, {**shown, **wanted}, server)
    server.put(*key, wanted)


def _refuse_wrong_call(
    noun: str, call: dict[str, Any], after: dict[str, Any], server: Server
) -> None:
    """Refuse what the cmdlets' pages say cannot be: [S10] of the domain notes."""
    if noun == "OutlookAnywhere":
        if "DefaultAuthenticationMethod" in call and len(call) > 1:
            raise RefusedError("DefaultAuthenticationMethod excludes the others")
        sides = ("InternalClientsRequireSsl", "ExternalClientsRequireSsl")
        if any(after[side] is False for side in sides) and not after["SSLOffloading"]:
            raise RefusedError("SSLOffloading must be true where a side needs no SSL")
        if (
            call.get("ExternalHostname")
            and not {"ExternalClientsRequireSsl", "ExternalClientAuthenticationMethod"}
            <= call.keys()
        ):
            raise RefusedError("ExternalHostname comes with its SSL and authentication")
    if call.get("LogonFormat") == "UserName" and not after.get("DefaultDomain"):
        raise RefusedError("UserName needs a DefaultDomain")
    if ADFS in call:
        _refuse_wrong_adfs(noun, call[ADFS], after["WebSite"], server)


def _refuse_wrong_adfs(noun: str, enables: bool, site: str, server: Server) -> None:
    ecp = server.objects.get(("EcpVirtualDirectory", f"ecp ({site})"), {})
    owa = server.objects.get(("OwaVirtualDirectory", f"owa ({site})"), {})
    if noun == "OwaVirtualDirectory" and enables and ecp and not ecp[ADFS]:
        raise RefusedError("ADFS is turned on in ECP first")
    if noun == "EcpVirtualDirectory" and not enables and owa and owa[ADFS]:
        raise RefusedError("ADFS is turned off in OWA first")


def _element(step: PlanStep, server: Server, gone: list[str], *, anew: bool) -> None:
    target = step.target
    hops = [(hop.tag, hop.keys) for hop in target.hops]
    place = (target.file, target.location, target.section)
    found = server.found(*place, hops)
    if step.op == "remove":
        _take_away(step, server, found, gone)
        return
    if step.op == "add":
        if found and not anew:
            raise RefusedError("it is there already")
        keys = _keys(target.hops[-1])
        if target.hops[-1].tag == "*":
            raise RefusedError("what kind of element it is cannot be told")
        above = server.made(*place, hops[:-1])
        element = found[0] if found else ET.SubElement(above, target.hops[-1].tag, keys)
    else:
        element = server.made(*place, hops)
    for goal in step.goals:
        if goal.wanted is not None and not isinstance(goal.wanted, str):
            raise RefusedError(f"{goal.name}: {goal.wanted!r} is no text")
        if step.op == "clear" and goal.wanted is not None:
            raise RefusedError("it clears, and wants something")
        if not anew:
            _as_expected(goal, element.get(goal.name))
        if goal.wanted is None:
            element.attrib.pop(goal.name, None)
        else:
            element.set(goal.name, goal.wanted)


def _take_away(step: PlanStep, server: Server, found: list[ET.Element], gone: list[str]) -> None:
    target = step.target
    if not found:
        if any(_lies_in(step, place) for place in gone):
            return
        raise RefusedError("what it takes away is not there")
    if len(found) > 1:
        raise RefusedError(f"which of {len(found)} is meant cannot be told")
    element = found[0]
    for goal in step.goals:
        _as_expected(goal, element.get(goal.name))
    said = {goal.name for goal in step.goals}
    if target.hops:
        said |= {name for name, _ in target.hops[-1].keys}
    if element.attrib.keys() - said or _has_content(element):
        raise RefusedError("it holds more than the step says")
    for one in server.files[target.file].iter():
        if element in list(one):
            one.remove(element)


def _lies_in(step: PlanStep, place: str) -> bool:
    at = step.target.location or step.resource
    return f"{at.rstrip('/')}/".casefold().startswith(f"{place}/".casefold())


def _has_content(element: ET.Element) -> bool:
    return any(child.attrib or _has_content(child) or child.text for child in element)


def _as_expected(goal: Goal, found: Any) -> None:
    if not (alike(goal.kind, found, goal.expected) or alike(goal.kind, found, goal.wanted)):
        raise RefusedError(
            f"{goal.name} is {found!r}: neither {goal.expected!r} nor {goal.wanted!r}"
        )


# --- how two values are held against each other ---


def alike(kind: str, one: Any, other: Any) -> bool:
    """Tell whether two values are one to Exchange or IIS."""
    return bool(_folded(kind, one) == _folded(kind, other))


def _folded(kind: str, value: Any) -> Any:
    if value is None or value in ("", []):
        return set() if kind == "flags" and value is not None else None
    if kind == "flags":
        return value if isinstance(value, set) else flags(value)
    if kind == "set":
        items = value if isinstance(value, list) else [value]
        return sorted(str(item).casefold() for item in items)
    if kind in {"enum", "bool"}:
        return str(value).casefold()
    return str(value).strip() if kind in {"uri", "int", "whole", "size"} else value


def flags(text: str | None) -> set[str]:
    """Read flags as IIS writes them."""
    return {flag.strip() for flag in (text or "").split(",")} - {"", "None"}


def same_word(one: str, other: str) -> bool:
    """Compare names, which have no case."""
    return one.casefold() == other.casefold()


def answers(element: ET.Element, tag: str, keys: Iterable[tuple[str, str]]) -> bool:
    """Tell whether an element is the one that a hop names."""
    if element.tag != tag and (tag != "*" or element.tag in {"remove", "clear"}):
        return False
    return all(
        element.get(name) is not None
        and (
            element.get(name) == value
            or (name in WITHOUT_CASE and same_word(element.get(name, ""), value))
        )
        for name, value in keys
    )


def place_of(noun: str, resource: str) -> str:
    """Give the place of a virtual directory in IIS."""
    site = resource.rpartition(" (")[2].rstrip(")")
    return f"{site}/{APPLICATIONS[noun]}"


def _above(place: str) -> Iterator[str]:
    yield place
    while "/" in place:
        place = place.rpartition("/")[0]
        yield place
    yield ""


def _keys(hop: Hop) -> dict[str, str]:
    return dict(hop.keys)
