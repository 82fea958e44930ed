"""
A sample server as data, and what administrators do to it at random.

Every edit is one that the cmdlets and IIS allow, so that every state can be reached by them.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "journeys"))
from factory_server import INSTALL, config
from replay_executor import APPLICATIONS, SITES, Server

from changelog_tracker import catalogue
from changelog_tracker.replay.commands import why_no_parameter

VERSION = "2019"
FRONT, BACK, OURS = "Default Web Site", "Exchange Back End", "Contoso"
NAMES = {"PopSettings": "1", "ImapSettings": "1", "ClientAccessService": "(server)"}
NOUNS = (*APPLICATIONS, *NAMES)
WEB = rf"{INSTALL}\ClientAccess\owa\web.config"
OTHER_WEB = rf"{INSTALL}\ClientAccess\exchweb\EWS\web.config"
POOLS = "system.applicationHost/applicationPools"
# Parameters that go with others, which edits of their own set.
TIED = {
    "FormsAuthentication", "AdfsAuthentication", "LogonFormat", "DefaultDomain",
    "InternalClientsRequireSsl", "ExternalClientsRequireSsl", "SSLOffloading", "ExternalHostname",
    "DefaultAuthenticationMethod",
}  # fmt: skip
WORDS = ("", "contoso.com", "O'Brien", 'a "b" & <c>', "Zürich", "x", "1", "true", "C:\\Temp\\a")
PLACES = (
    "", FRONT, f"{FRONT}/owa", f"{FRONT}/ecp", f"{FRONT}/EWS", f"{FRONT}/OAB", f"{FRONT}/Rpc",
    f"{FRONT}/API", f"{FRONT}/owa/auth", f"{FRONT}/owa/oma",
    f"{FRONT}/Microsoft-Server-ActiveSync/Proxy", f"{FRONT}/PowerShell", f"{FRONT}/mapi",
    f"{BACK}/owa", BACK,
)  # fmt: skip
SECTIONS = (
    "system.webServer/security/access", "system.webServer/httpRedirect",
    "system.webServer/security/authentication/anonymousAuthentication",
    "system.webServer/security/authentication/basicAuthentication",
    "system.webServer/security/authentication/windowsAuthentication",
    "system.webServer/security/authentication/digestAuthentication",
    "system.webServer/httpErrors", "system.webServer/staticContent",
    "system.webServer/httpProtocol", "system.webServer/security/requestFiltering",
    "system.webServer/security/ipSecurity", "system.webServer/urlCompression",
    "system.webServer/defaultDocument", "system.webServer/directoryBrowse",
    "system.webServer/serverRuntime", "system.webServer/tracing/traceFailedRequests",
    "system.webServer/rewrite/rules", "system.webServer/handlers", "system.webServer/asp",
    "system.webServer/httpCompression", "system.webServer/rewrite/rewriteMaps",
)  # fmt: skip
WEB_SECTIONS = (
    "appSettings", "system.web/httpRuntime", "system.webServer/security/requestFiltering",
    "system.webServer/httpProtocol", "system.webServer/httpErrors",
)  # fmt: skip
ADDED = """<x>
<location path="Default Web Site/owa/oma"><system.webServer>
 <security><ipSecurity allowUnlisted="true"><add ipAddress="10.0.0.1" allowed="false" />
  <add ipAddress="10.1.0.0" subnetMask="255.255.0.0" allowed="false" /></ipSecurity></security>
 <httpErrors errorMode="Custom"><error statusCode="404" path="404.htm" />
  <error statusCode="403" subStatusCode="4" path="4.htm" /></httpErrors>
 <defaultDocument enabled="true"><files><add value="a.htm" /><add value="b.htm" /></files>
 </defaultDocument>
 <httpProtocol><customHeaders><add name="X-A" value="1" /></customHeaders></httpProtocol>
 <directoryBrowse />
</system.webServer></location></x>"""
WEB_TEXT = """<configuration>
 <appSettings><add key="LogonSettings" value="public" /><add key="Limit" value="5" /></appSettings>
 <system.webServer><security><requestFiltering>
  <requestLimits maxAllowedContentLength="35000000" /></requestFiltering></security>
  <httpProtocol><customHeaders><add name="X-FEServer" value="EX01" /></customHeaders></httpProtocol>
 </system.webServer>
 <system.web><httpRuntime maxRequestLength="35000" requestValidationMode="2.0" /></system.web>
 <system.serviceModel><bindings><customBinding>
  <binding name="EWSAnonymousHttpBinding"><httpTransport maxReceivedMessageSize="67108864" />
  </binding></customBinding><webHttpBinding>
  <binding name="httpsBinding" maxReceivedMessageSize="35000000" /></webHttpBinding></bindings>
 </system.serviceModel></configuration>"""
Edit = Callable[[Server, Random], None]


def parameters(noun: str) -> list[str]:
    """Give what Set- takes in this version."""
    known = catalogue.nouns()[noun]
    return [name for name in known.fields if why_no_parameter(known, name, VERSION) is None]


def defaults() -> Server:
    """Give the server as Setup leaves it, with every parameter of every noun."""
    root = ET.fromstring(config())
    root.extend(ET.fromstring(ADDED))
    webs = {path: ET.fromstring(WEB_TEXT) for path in (WEB, OTHER_WEB)}
    server = Server({}, {None: root, **webs}, {noun: _fresh(noun) for noun in NOUNS})
    for noun in NOUNS:
        resource = NAMES.get(noun, f"{APPLICATIONS.get(noun)} ({FRONT})")
        server.objects[noun, resource] = dict(server.fresh[noun])
    return server


def _fresh(noun: str) -> dict[str, Any]:
    fields = catalogue.nouns()[noun].fields
    found = {name: _default(fields[name].kind, fields[name].accepted) for name in parameters(noun)}
    # Owned by Get- and Set-, though the version's table calls one of them by another name.
    if noun in APPLICATIONS:
        folder = APPLICATIONS[noun]
        found |= {"WebSite": FRONT, "Path": rf"{INSTALL}\FrontEnd\HttpProxy\{folder}"}
    if "InternalUrl" in found:
        found["InternalUrl"] = f"https://ex01.contoso.com/{APPLICATIONS.get(noun)}"
    if "FormsAuthentication" in found:
        found |= {"FormsAuthentication": True, "BasicAuthentication": True}
    if noun == "OutlookAnywhere":
        found["SSLOffloading"] = True
    return found


def _default(kind: str, accepted: tuple[str, ...]) -> Any:
    if kind == "enum":
        return accepted[0] if accepted else "None"
    return {"bool": False, "set": [], "whole": 10, "size": "Unlimited", "duration": "00:30:00"}.get(
        kind
    )


# --- Exchange ---


def set_parameters(server: Server, chance: Random) -> None:
    """Set any parameters of any object."""
    key = chance.choice(sorted(server.objects))
    fields = catalogue.nouns()[key[0]].fields
    names = [name for name in parameters(key[0]) if name not in TIED]
    for name in chance.sample(names, min(len(names), chance.randint(1, 3))):
        server.put(*key, {name: value_of(fields[name], chance)})


def value_of(field: Any, chance: Random) -> Any:
    """Give a value of a parameter's kind."""
    words = field.accepted or WORDS[1:]
    host = chance.choice(["mail", "MAIL", "ews"])
    return {
        "bool": lambda: chance.random() < 0.5,
        "enum": lambda: chance.choice(words),
        "set": lambda: sorted(chance.sample(words, chance.randint(0, min(3, len(words))))),
        "uri": lambda: chance.choice(
            [None, "", f"https://{host}.contoso.com/{chance.randint(1, 9)}"]
        ),
        "whole": lambda: chance.choice([0, 7, 1000, "Unlimited"]),
        "size": lambda: chance.choice([0, 10485760, "Unlimited"]),
        "duration": lambda: chance.choice(["00:01:00", "1.00:00:00"]),
    }.get(field.kind, lambda: chance.choice([None, *WORDS]))()


def set_forms(server: Server, chance: Random) -> None:
    """Turn forms-based authentication on or off, and sometimes one of the others after it."""
    noun = chance.choice(["OwaVirtualDirectory", "EcpVirtualDirectory"])
    key = (noun, f"{APPLICATIONS[noun]} ({FRONT})")
    if key in server.objects:
        server.put(*key, {"FormsAuthentication": chance.random() < 0.5})
        for name in ("BasicAuthentication", "WindowsAuthentication", "DigestAuthentication"):
            if chance.random() < 0.4:
                server.put(*key, {name: chance.random() < 0.5})


def set_tied(server: Server, chance: Random) -> None:
    """Set what goes together: ADFS, the logon's form, Outlook Anywhere; or the URL of all."""
    owa, ecp, rpc = (
        (noun, f"{APPLICATIONS[noun]} ({FRONT})")
        for noun in ("OwaVirtualDirectory", "EcpVirtualDirectory", "OutlookAnywhere")
    )
    what = chance.choice(["adfs", "logon", "rpc", "url"])
    if what == "url":
        url = f"https://autodiscover.contoso.com/{chance.randint(1, 9)}/autodiscover.xml"
        server.put("ClientAccessService", "(server)", {"AutoDiscoverServiceInternalUri": url})
    if what == "adfs" and owa in server.objects and ecp in server.objects:
        on = chance.random() < 0.5
        for key in (ecp, owa) if on else (owa, ecp):
            server.put(*key, {"AdfsAuthentication": on})
    if what == "logon" and owa in server.objects:
        user = chance.random() < 0.6
        form = {"LogonFormat": "UserName", "DefaultDomain": chance.choice(["contoso.com", "x"])}
        server.put(*owa, form if user else {"LogonFormat": "FullDomain", "DefaultDomain": None})
    if what == "rpc" and rpc in server.objects:
        offloads = chance.random() < 0.5
        server.put(*rpc, {
            "SSLOffloading": offloads,
            "InternalClientsRequireSsl": not offloads or chance.random() < 0.5,
            "ExternalClientsRequireSsl": not offloads or chance.random() < 0.5,
            "ExternalHostname": chance.choice([None, "mail.contoso.com"]),
        })  # fmt: skip


def move_directory(server: Server, chance: Random) -> None:
    """Remove a virtual directory or its half in IIS, or make one in a site of our own."""
    makeable = [noun for noun in APPLICATIONS if noun not in NOT_MADE]
    noun = chance.choice(makeable)
    usual = (noun, f"{APPLICATIONS[noun]} ({FRONT})")
    there = server.objects.get(usual, {})
    if chance.random() < 0.3:
        # Nobody takes away one of the two while ADFS is on.
        if there and not there.get("AdfsAuthentication") and _is_in_iis(server, noun, FRONT):
            server.drop(*usual)
        return
    if chance.random() < 0.2:
        for site in server.found(None, "", SITES, [("site", (("name", FRONT),))]):
            for one in site.findall("application"):
                if one.get("path") == f"/{APPLICATIONS[noun]}":
                    site.remove(one)
        return
    if not server.found(None, "", SITES, [("site", (("name", OURS),))]):
        make_site(server, OURS)
    resource = f"{APPLICATIONS[noun]} ({OURS})"
    if (noun, resource) not in server.objects:
        has_path = noun != "MapiVirtualDirectory"
        server.make(noun, resource, rf"C:\Contoso\{noun}" if has_path else None)


def _is_in_iis(server: Server, noun: str, site: str) -> bool:
    way = [("site", (("name", site),)), ("application", (("path", f"/{APPLICATIONS[noun]}"),))]
    return bool(server.found(None, "", SITES, way))


NOT_MADE = ("OutlookAnywhere", "PowerShellVirtualDirectory")


# --- IIS ---


def make_site(server: Server, name: str) -> None:
    """Make a site with its pool, root and binding."""
    root = server.made(None, "", SITES)
    pools = server.made(None, "", POOLS)
    pool = ET.SubElement(pools, "add", {"name": f"{name}Pool", "managedRuntimeVersion": "v4.0"})
    ET.SubElement(pool, "processModel", {"identityType": "NetworkService"})
    site = ET.SubElement(root, "site", {"name": name, "id": str(len(root) + 1)})
    application = ET.SubElement(
        site, "application", {"path": "/", "applicationPool": f"{name}Pool"}
    )
    ET.SubElement(application, "virtualDirectory", {"path": "/", "physicalPath": rf"C:\{name}"})
    bindings = ET.SubElement(site, "bindings")
    ET.SubElement(
        bindings, "binding", {"protocol": "http", "bindingInformation": f"*:8{len(root)}:"}
    )
    ET.SubElement(site, "logFile", {"directory": rf"D:\{name}"})


def edit_objects(server: Server, chance: Random) -> None:
    """Make, change or remove sites, applications, directories, bindings and pools."""
    sites, pools = server.made(None, "", SITES), server.made(None, "", POOLS)
    site = chance.choice([one for one in sites if one.tag == "site" and one.get("name") != BACK])
    number = chance.randint(1, 3)
    what = chance.randint(0, 6)
    if what == 0:
        if not any(one.get("name") == f"New{number}" for one in sites):
            make_site(server, f"New{number}")
    elif what <= 2:
        edit_applications(site, pools, chance, number, comes=what == 1)
    elif what == 3:
        edit_bindings(site, chance, number)
    elif what == 4:
        edit_node(chance.choice(list(pools)), _item(POOLS, "add"), chance)
    elif what == 5:
        application = chance.choice(site.findall("application"))
        application.set("applicationPool", chance.choice([one.get("name", "") for one in pools]))
        application.find("virtualDirectory").set("physicalPath", rf"E:\{number}")
    else:
        edit_pools(sites, pools, chance, number)


def edit_applications(
    site: ET.Element, pools: ET.Element, chance: Random, number: int, *, comes: bool
) -> None:
    """Make an application with two directories, or remove one that is no directory of Exchange."""
    if comes:
        path = chance.choice([f"/app{number}", f"/owa/app{number}"])
        if all(one.get("path") != path for one in site.findall("application")):
            pool = chance.choice([one.get("name", "") for one in pools])
            one = ET.SubElement(site, "application", {"path": path, "applicationPool": pool})
            ET.SubElement(one, "virtualDirectory", {"path": "/", "physicalPath": rf"D:\{number}"})
            ET.SubElement(one, "virtualDirectory", {"path": "/in", "physicalPath": r"D:\in"})
        return
    free = [one for one in site.findall("application") if one.get("path") not in EXCHANGES]
    if free:
        site.remove(chance.choice(free))


def edit_bindings(site: ET.Element, chance: Random, number: int) -> None:
    """Add a binding of a site, or remove one."""
    bindings = site.find("bindings")
    if bindings is None:
        return
    if len(bindings) > 1 and chance.random() < 0.4:
        bindings.remove(chance.choice(list(bindings)))
        return
    host = f"*:443:h{len(list(bindings))}{number}.contoso.com"
    keys = {"protocol": "https", "bindingInformation": host, "sslFlags": "1"}
    if all(one.get("bindingInformation") != host for one in bindings):
        ET.SubElement(bindings, "binding", keys)


def edit_pools(sites: ET.Element, pools: ET.Element, chance: Random, number: int) -> None:
    """Add a pool, or remove one that no application uses."""
    if all(one.get("name") != f"Pool{number}" for one in pools):
        ET.SubElement(pools, "add", {"name": f"Pool{number}", "queueLength": "2000"})
        return
    used = {one.get("applicationPool") for one in sites.iter("application")}
    free = [one for one in pools if one.get("name") not in used]
    if free:
        pools.remove(chance.choice(free))


EXCHANGES = ("/", *(f"/{path}" for path in APPLICATIONS.values()))


def edit_section(server: Server, chance: Random) -> None:
    """Edit any section at any place as the schema allows, or take it away."""
    place, section = chance.choice(PLACES), chance.choice(SECTIONS)
    if chance.random() < 0.2:
        sections_ = [
            (where.get("path", ""), name)
            for where in server.files[None].findall("location")
            for name in SECTIONS
            if server.found(None, where.get("path", ""), name)
        ]
        place, section = chance.choice(sections_)
    site, _, path = place.partition("/")
    noun = next(
        (noun for noun in APPLICATIONS if noun not in NOT_MADE and APPLICATIONS[noun] == path), None
    )
    if noun is None or site == BACK or _is_in_iis(server, noun, site):
        # Nobody customises a directory that is not there.
        remove_or_edit(server, (None, place, section), chance)


def edit_file(server: Server, chance: Random) -> None:
    """Edit keys of a web.config."""
    file = chance.choice([WEB, OTHER_WEB])
    if chance.random() < 0.2:
        name = chance.choice([".//httpTransport", ".//webHttpBinding/binding"])
        for element in server.files[file].iterfind(name):
            element.set("maxReceivedMessageSize", str(chance.randint(1, 9) * 1000000))
        return
    remove_or_edit(server, (file, "", chance.choice(WEB_SECTIONS)), chance)


def remove_or_edit(server: Server, at: tuple[str | None, str, str], chance: Random) -> None:
    """Take a section away, or edit it in one to three places."""
    there = server.found(*at)
    if there and chance.random() < 0.15:
        for parent in server.files[at[0]].iter():
            if there[0] in list(parent):
                parent.remove(there[0])
        return
    element = server.made(*at)
    for _ in range(chance.randint(1, 3)):
        edit_node(element, catalogue.section(at[2]) or {}, chance)


def edit_node(element: ET.Element, facts: dict[str, Any], chance: Random) -> None:
    """Change an attribute, an inner element or a member of an element."""
    attributes = [name for name, one in facts.get("attributes", {}).items() if _is_free(name, one)]
    collections = [one for one in facts.get("collections", ()) if "add" in one]
    inner = [name for name in facts.get("elements", {}) if name not in RUNTIME]
    kinds = [*["attribute"] * bool(attributes), *["member"] * bool(collections)]
    kind = chance.choice([*kinds, *["inner"] * bool(inner)] or ["nothing"])
    if kind == "attribute":
        name = chance.choice(attributes)
        if name in element.attrib and chance.random() < 0.3:
            del element.attrib[name]
        else:
            element.set(name, text_of(name, facts["attributes"][name], chance))
    elif kind == "inner":
        name = chance.choice(inner)
        below = element.find(name)
        below = ET.SubElement(element, name) if below is None else below
        edit_node(below, facts["elements"][name], chance)
    elif kind == "member":
        edit_member(element, chance.choice(collections), chance)


RUNTIME = ("workerProcesses", "ftpServer", "sessions", "applicationDefaults")


def edit_member(element: ET.Element, facts: dict[str, Any], chance: Random) -> None:
    """Add, change, remove, move or clear members of a collection."""
    tag = facts["add"].split(",")[0]
    members = element.findall(tag)
    what = chance.random()
    if members and what < 0.25:
        element.remove(chance.choice(members))
    elif members and what < 0.5:
        edit_node(chance.choice(members), facts["item"], chance)
    elif members and what < 0.55:
        element.remove(members[0])
        element.append(members[0])
    elif facts.get("clear") and what < 0.6 and element.find(facts["clear"]) is None:
        element.insert(0, ET.Element(facts["clear"]))
    else:
        _add_member(element, tag, facts["item"], chance)


def _add_member(element: ET.Element, tag: str, item: dict[str, Any], chance: Random) -> None:
    known = item.get("attributes", {})
    keys = {n: one for n, one in known.items() if one.get("key") or one.get("combined_key")}
    told = {
        name: text_of(name, one, chance)
        for name, one in keys.items()
        if one.get("default") is None or chance.random() < 0.5
    }
    full = {n: told.get(n, str(keys[n].get("default"))).casefold() for n in keys}
    for other in element.findall(tag):
        if {n: other.get(n, str(keys[n].get("default"))).casefold() for n in keys} == full:
            return
    member = ET.SubElement(element, tag, told)
    for name, one in known.items():
        if name not in keys and _is_free(name, one) and chance.random() < 0.4:
            member.set(name, text_of(name, one, chance))
    if chance.random() < 0.3:
        edit_node(member, {**item, "attributes": {}}, chance)


def _is_free(name: str, facts: dict[str, Any]) -> bool:
    key = facts.get("key") or facts.get("combined_key")
    return not key and "password" not in name.lower() and name not in {"state", "id"}


def text_of(name: str, facts: dict[str, Any], chance: Random) -> str:
    """Give a text that an attribute may hold."""
    kind, names = facts.get("type", ""), list(facts.get("values", {}))
    if kind == "flags" and names:
        names_ = [one for one in names if one != "None"]
        some = chance.sample(names_, min(len(names_), chance.randint(1, 2)))
        return ", ".join(sorted(some)) if chance.random() < 0.8 or "None" not in names else "None"
    if kind == "enum" and names:
        return chance.choice(names)
    if "int" in kind:
        return str(chance.randint(1, 99))
    texts = {"bool": ["true", "false"], "timeSpan": ["00:10:00", "1.00:00:00"]}.get(kind)
    if name == "destination":
        texts = [f"https://mail.contoso.com/{number}" for number in (1, 2, 3)]
    return chance.choice(texts or ["a", "b", "c", "X-Contoso", "it's", "D:\\Logs"])


def _item(section: str, tag: str) -> dict[str, Any]:
    facts = catalogue.section(section) or {}
    return next(c["item"] for c in facts["collections"] if tag in c["add"].split(","))


EDITS: tuple[Edit, ...] = (
    set_parameters, set_parameters, set_forms, set_tied, move_directory, edit_objects,
    edit_objects, edit_section, edit_section, edit_section, edit_section, edit_file, edit_file,
)  # fmt: skip


def customised(server: Server, chance: Random, most: int) -> Server:
    """Give a copy of a server to which some random edits were done."""
    copied = server.copy()
    for _ in range(chance.randint(0, most)):
        chance.choice(EDITS)(copied, chance)
    return copied
