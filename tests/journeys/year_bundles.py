"""Writes the snapshots of the year as bundles: what a collector finds of a state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from bundles import IIS, INSTALL, bundle, clixml, vdir
from year_story import SERVER, STORY, State, guid, offset_min, parts, state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from year_story import Taken

CERTIFICATE = "Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate"
# What -ADPropertiesOnly says of what IIS holds: nothing, in neutral values.
AD_ONLY = {"Path": "", "WebSite": "", "BasicAuthentication": False}
BROKEN = b"<configuration>"


def write_bundle(one: Taken, folder: Path) -> Path:
    """Write a snapshot as a bundle, named by server and time."""
    here = STORY["server"][one.server]
    told = state(one.server, one.at)
    facts = told.pop(SERVER)
    exchange = {"version": here["version"], "build": facts["Build"]}
    exchange["install_path"] = r"C:\Program Files\Microsoft\Exchange Server\V15"
    return bundle(
        folder / f"{one.server}-{one.at:%Y-%m-%dT%H%MZ}",
        f"{one.at:%Y-%m-%dT%H:%M:%SZ}",
        dict(_files(one, told)),
        server=one.server,
        utc_offset_min=offset_min(one.server, one.at),
        time_zone=here["time_zone"],
        skew_ms=here.get("skew_ms"),
        exchange=exchange,
        windows={
            "build": "10.0.17763" if here["version"] == "2019" else "10.0.14393",
            "system_root": r"C:\Windows",
            "install_date": facts["WindowsInstallDate"],
            "machine_sid": facts["MachineSid"],
        },
    )


def _files(one: Taken, told: State) -> Iterator[tuple[str, bytes]]:
    session = guid(f"session {one.server} {one.at}")
    iis: State = {}
    for resource, settings in told.items():
        kind, name = parts(resource)
        if kind.startswith("Iis"):
            iis[resource] = settings
        elif kind == "ExchangeCertificate":
            own = {"Identity": f"{one.server}\\{name}", "RunspaceId": session, **settings}
            yield f"exchange/{kind}.clixml", clixml(CERTIFICATE, own)
        elif kind == "ConfigFile":
            file, _, section = name.partition(" : ")
            path = file.replace("%ExchangeInstallPath%", INSTALL)
            yield path, BROKEN if file in one.unread else _config(section, settings)
        else:
            own = {"Identity": f"{one.server}\\{name}", "Name": name, "RunspaceId": session}
            own |= settings | (AD_ONLY if one.is_ad_only else {})
            short = kind.removesuffix("VirtualDirectory")
            yield f"exchange/{kind}.clixml", vdir(short, server=one.server, **own)
    yield IIS, application_host(iis)


def _config(section: str, settings: dict[str, Any]) -> bytes:
    root = ET.Element("configuration")
    _put(root, section.split("/"), settings)
    return _text(root)


def application_host(told: State) -> bytes:
    """Write what IIS holds."""
    root = ET.Element("configuration")
    top = ET.SubElement(root, "system.applicationHost")
    pools, sites = ET.SubElement(top, "applicationPools"), ET.SubElement(top, "sites")
    site = ET.SubElement(sites, "site", name="Default Web Site", id="1")
    for resource, settings in sorted(told.items()):
        kind, name = parts(resource)
        if kind == "IisAppPool":
            ET.SubElement(pools, "add", name=name, **settings)
        elif kind == "IisVirtualDirectory":
            path = name.removeprefix("Default Web Site").removesuffix("/") or "/"
            pool = told.get(f"IisApplication[Default Web Site{path}]", {})
            application = ET.SubElement(site, "application", path=path, **pool)
            ET.SubElement(application, "virtualDirectory", path="/", **settings)
        elif kind == "IisSection":
            place, _, section = name.partition(" : ")
            _put(ET.SubElement(root, "location", path=place), section.split("/"), settings)
    bindings = ET.SubElement(site, "bindings")
    ET.SubElement(bindings, "binding", protocol="https", bindingInformation="*:443:")
    return _text(root)


def _put(parent: ET.Element, way: list[str], settings: dict[str, Any]) -> None:
    """Put settings at the end of a way of elements: attributes, and `<add>` for `x.[key='...']`."""
    for name in way:
        parent = ET.SubElement(parent, name)
    for name, value in settings.items():
        if isinstance(value, dict):
            inner = name.partition("[")[0].rstrip(".")
            ET.SubElement(ET.SubElement(parent, inner) if inner else parent, "add", value)
        elif isinstance(value, list):
            parent.set(name, ",".join(value))
        else:
            parent.set(name, str(value).lower() if isinstance(value, bool) else value)


def _text(root: ET.Element) -> bytes:
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)
