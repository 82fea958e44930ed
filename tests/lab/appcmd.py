"""appcmd.exe of the lab: the forms that Microsoft prints, over the lab's applicationHost.config."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent)]

import iis  # noqa: E402
import iis_edit  # noqa: E402
from iis import Config, Hop, Refused  # noqa: E402

SITES, POOLS = "system.applicationHost/sites", "system.applicationHost/applicationPools"
_OPTION = re.compile(r"[-/]([+-]?)(.*)", re.DOTALL)


def main(arguments: list[str]) -> int:
    try:
        if any('"' in one for one in arguments):
            # Windows PowerShell hands an embedded double quote over broken.
            raise Refused("Unexpected argument: a double quote reached appcmd.")
        said = run(arguments)
    except Refused as error:
        sys.stdout.write(f"ERROR ( message:{error} )\n")
        return 50
    sys.stdout.write(said + "\n")
    return 0


def run(arguments: list[str]) -> str:
    if len(arguments) < 2:
        raise Refused("Object type and command are needed.")
    verb, kind = (one.casefold() for one in arguments[:2])
    names = [one for one in arguments[2:] if not one.startswith(("/", "-"))]
    options = [_OPTION.fullmatch(one).groups() for one in arguments[2:] if one not in names]
    if len(names) > 1:
        raise Refused(f'Unexpected argument "{names[1]}".')
    place = names[0] if names else ""
    if kind == "config":
        said = config(verb, place, options)
    elif verb == "recycle":
        iis.log("appcmd recycle", place or dict(_pairs(options)).get("apppool.name", ""), {})
        return f'"{place}" successfully recycled'
    elif kind in ("site", "app", "vdir", "apppool"):
        said = thing(verb, kind, place, options)
    else:
        raise Refused(f'Unknown object type "{kind}".')
    if verb != "list":
        iis.log(f"appcmd {verb} {kind}", place, {"arguments": arguments[2:]})
    return said


def _pairs(options: list[tuple[str, str]]) -> list[tuple[str, str]]:
    pairs = [tuple(_part(text)) for sign, text in options if not sign]
    return [(name.casefold(), value) for name, value in pairs]


def _part(text: str) -> list[str]:
    """Part `name:value`; a colon inside brackets belongs to the name."""
    name = iis.split(text, ":")[0] if ":" in text else text
    return [name, text[len(name) + 1 :]]


def config(verb: str, place: str, options: list[tuple[str, str]]) -> str:
    pairs = dict(_pairs(options))
    section, rest = iis.section_of(pairs.get("section", ""), short=True)
    if rest:
        raise Refused(f'Unknown config section "{pairs["section"]}".')
    target = iis.config_at(place.rstrip("/"), commit=pairs.get("commit", "").casefold())
    changes = [
        (sign, text)
        for sign, text in options
        if _part(text)[0].casefold() not in ("section", "commit", "delete", "xml", "text", "config")
    ]
    if verb == "clear":
        iis_edit.clear(target, section, [], None)
        return f'Cleared configuration section "{section}"'
    if verb != "set" or not changes:
        raise Refused(f'The command "{verb}" needs something to set.')
    for sign, text in changes:
        change(target, section, [], sign, text)
    return f'Applied configuration changes to section "{section}" for "{place}"'


def change(target: Config, section: str, hops: list[Hop], sign: str, text: str) -> None:
    """Do one `/attr:value`, `/+coll.[k='v']` or `/-coll.[k='v']`."""
    name, value = (text, "") if sign else _part(text)
    parts = iis.split(name, ".")
    last = iis.hop(parts[-1])
    ways = [*hops, *(iis.hop(part) for part in parts[:-1])]
    if sign == "+":
        iis_edit.add(target, section, [*ways, *([(last[0], {})] if last[0] else [])], last[1])
    elif sign == "-" and last[1]:
        ways = [*ways, *([(last[0], {})] if last[0] else [])]
        iis_edit.remove(target, section, ways, last[1])
    elif sign == "-":
        iis_edit.clear(target, section, ways, last[0])
    elif ":" not in text:
        raise Refused(f'Attribute "{name}" needs a value.')
    else:
        iis_edit.set_attribute(target, section, ways, last[0], value)


def thing(verb: str, kind: str, name: str, options: list[tuple[str, str]]) -> str:
    """Do something to a site, application, virtual directory or pool."""
    pairs = dict(_pairs(options))
    target = iis.config_at("", commit="apphost")
    if verb == "add":
        return add_thing(target, kind, pairs)
    name = name or pairs.get(f"{kind}.name", "")
    section, hops = where(kind, name)
    if verb == "delete":
        iis_edit.clear(target, section, hops, None)
        return f'{kind.upper()} object "{name}" deleted'
    own = f"{kind}.name"
    changes = [(s, t) for s, t in options if _part(t)[0].casefold() != own]
    if verb != "set" or not changes:
        raise Refused(f'The command "{verb}" needs something to set.')
    for sign, text in changes:
        change(target, section, hops, sign, _without_own_name(text, name))
    return f'{kind.upper()} object "{name}" changed'


def _without_own_name(text: str, name: str) -> str:
    """`/[name='X'].a:v` of `set site` means the object itself."""
    return text.removeprefix(f"[name='{name}'].")


def where(kind: str, name: str) -> tuple[str, list[Hop]]:
    if kind == "apppool":
        return POOLS, [("add", {"name": name})]
    site, _, path = name.partition("/")
    ways: list[Hop] = [("site", {"name": site})]
    if kind == "site":
        return SITES, [("site", {"name": name})]
    if kind == "app":
        return SITES, [*ways, ("application", {"path": f"/{path}"})]
    applications = _applications(site)
    own = max((a for a in applications if _is_below(f"/{path}", a)), key=len, default="/")
    rest = f"/{path}"[len(own.rstrip("/")) :] or "/"
    directory = rest if rest == "/" else rest.rstrip("/")
    return SITES, [*ways, ("application", {"path": own}), ("virtualDirectory", {"path": directory})]


def _is_below(path: str, application: str) -> bool:
    return f"{path}/".casefold().startswith(f"{application.rstrip('/')}/".casefold())


def _applications(site: str) -> list[str]:
    root = iis.config_at("", commit="apphost").document.documentElement
    found = [s for s in root.getElementsByTagName("site") if s.getAttribute("name") == site]
    return [a.getAttribute("path") for s in found for a in iis.elements(s, "application")]


def add_thing(target: Config, kind: str, pairs: dict[str, str]) -> str:
    folder = pairs.pop("physicalpath", None)
    if kind == "apppool":
        iis_edit.add(target, POOLS, [], {"name": pairs["name"]})
        return f'APPPOOL object "{pairs["name"]}" added'
    if kind == "site":
        iis_edit.add(target, SITES, [], {k: pairs[k] for k in ("name", "id") if k in pairs})
        site: list[Hop] = [("site", {"name": pairs["name"]})]
        for one in filter(None, pairs.get("bindings", "").split(",")):
            protocol, _, information = one.partition("/")
            said = {"protocol": protocol, "bindingInformation": information}
            iis_edit.add(target, SITES, [*site, ("bindings", {})], said)
        add_application(target, site, {"path": "/"}, folder)
        return f'SITE object "{pairs["name"]}" added'
    if kind == "app":
        said = {"path": pairs["path"]}
        if "applicationpool" in pairs:
            said["applicationPool"] = pairs["applicationpool"]
        add_application(target, [("site", {"name": pairs["site.name"]})], said, folder)
        return f'APP object "{pairs["site.name"]}{pairs["path"]}" added'
    _, hops = where("app", pairs["app.name"])
    said = {"path": pairs["path"], "physicalPath": folder or ""}
    iis_edit.add(target, SITES, hops, said)
    return f'VDIR object "{pairs["app.name"]}{pairs["path"]}" added'


def add_application(
    target: Config, site: list[Hop], said: dict[str, str], folder: str | None
) -> None:
    iis_edit.add(target, SITES, site, said)
    if folder is not None:
        application = ("application", {"path": said["path"]})
        root = {"path": "/", "physicalPath": folder}
        iis_edit.add(target, SITES, [*site, application], root)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
