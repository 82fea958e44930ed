"""What an administrator may do to a server in its life, drawn at random: a script for the lab."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab import HERE

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from lab import Lab

CMDLETS = json.loads((HERE / "cmdlets.json").read_text("utf-8"))["cmdlets"]
# Texts that must not leave their quotes, however they are written.
TEXTS = (
    "plain", "it's", "\u2018curly\u2019", "$(Get-Date)", "`n", 'a "b" c', "a;b|c & d",
    "Gr\u00fc\u00dfe", "tab\there", "%windir%", "--%", "@{a=1}", "[x]", "-Flag",
    "#no comment", "{0}",
)  # fmt: skip
# One call of these bears on others; the fixed journeys have them.
NOT_DRAWN = frozenset({
    "AdfsAuthentication", "BasicAuthentication", "BasicAuthEnabled", "ClientCertAuth",
    "DefaultDomain", "DigestAuthentication", "ExtendedProtectionFlags", "ExtendedProtectionSPNList",
    "FormsAuthentication", "LogonFormat", "OAuthAuthentication", "RequireSSL",
    "WindowsAuthentication", "WindowsAuthEnabled", "WSSecurityAuthentication", "Name",
    "CertificateAuthentication", "InstallIsapiFilter", "ApplyDefaults", "VirtualDirectoryType",
    "IISAuthenticationMethods", "ExtendedProtectionTokenChecking", "GzipLevel",
    "CompressionEnabled", "ExternalAuthenticationMethods", "InternalAuthenticationMethods",
})  # fmt: skip
NOUNS = (
    "OwaVirtualDirectory", "EcpVirtualDirectory", "ActiveSyncVirtualDirectory",
    "WebServicesVirtualDirectory", "OabVirtualDirectory", "MapiVirtualDirectory", "PopSettings",
    "ImapSettings", "PowerShellVirtualDirectory",
)  # fmt: skip
PLACES = tuple(f"Default Web Site/{name}" for name in ("owa", "ecp", "EWS", "mapi", "API"))
APPHOST = "-PSPath 'MACHINE/WEBROOT/APPHOST'"
ADD = "Add-WebConfigurationProperty"
SET = "Set-WebConfigurationProperty"


def customisation(lab: Lab, drawn: random.Random) -> str:
    """Write a script of some changes that Exchange and IIS take."""
    lines = [*_exchange(lab, drawn), *_iis(drawn)]
    drawn.shuffle(lines)
    return "\n".join(lines)


def _exchange(lab: Lab, drawn: random.Random) -> Iterator[str]:
    for noun in drawn.sample(NOUNS, 3):
        cmdlet = CMDLETS[f"Set-{noun}"]
        objects = lab.state["objects"][noun]
        name, held = next((n, o) for n, o in objects.items() if "Back End" not in n)
        which = "-Server EX01" if noun.endswith("Settings") else f"-Identity 'EX01\\{name}'"
        can = {
            parameter: value
            for parameter, facts in cmdlet["parameters"].items()
            if parameter not in NOT_DRAWN and parameter in held["values"]
            for value in [_value(facts, held["values"][parameter], drawn)]
            if value is not None
        }
        for parameter in drawn.sample(sorted(can), min(4, len(can))):
            yield f"Set-{noun} {which} -{parameter} {can[parameter]}"


def _value(facts: dict[str, Any], held: Any, drawn: random.Random) -> str | None:
    accepted = facts.get("accepted") or facts.get("values")
    found = None
    match facts["type"]:
        case "Boolean":
            found = "$false" if held else "$true"
        case "Int32":
            found = str(drawn.randrange(2_000, 9_000))
        case "Uri":
            found = f"'https://mail{drawn.randrange(99)}.contoso.com/x'"
        case "String" if isinstance(held, str | None):
            found = quoted(drawn.choice(TEXTS))
        case "MultiValuedProperty" if isinstance(held, list) and all("." in one for one in held):
            found = ",".join(quoted(f".x{drawn.randrange(99)}") for _ in range(2))
        case _ if accepted and held is not None:
            found = quoted(drawn.choice([one for one in accepted if one != held] or [held]))
    return found


def _iis(drawn: random.Random) -> Iterator[str]:
    at = f"{APPHOST} -Location {quoted(drawn.choice(PLACES))}"
    name = f"X-{drawn.randrange(10**6)}"
    text = quoted(drawn.choice(TEXTS[:4]))
    every = [
        f"{SET} {at} -Filter system.webServer/security/access -Name sslFlags -Value 'Ssl'",
        (
            f"{SET} {at} -Filter system.webServer/httpRedirect -Name destination"
            " -Value 'https://mail.contoso.com/x'"
        ),
        (
            f"{SET} {at} -Filter system.webServer/security/requestFiltering/requestLimits"
            f" -Name maxAllowedContentLength -Value {drawn.randrange(10**8)}"
        ),
        (
            f"{ADD} {at} -Filter system.webServer/httpProtocol/customHeaders -Name '.'"
            f" -Value @{{ name = '{name}'; value = {text} }}"
        ),
        (
            f"{ADD} {at} -Filter system.webServer/staticContent -Name '.'"
            f" -Value @{{ fileExtension = '.{name}'; mimeType = 'a/b' }}"
        ),
        (
            f"{ADD} {APPHOST} -Filter system.applicationHost/applicationPools -Name '.'"
            f" -Value @{{ name = '{name}' }}"
        ),
        (
            f"{SET} {APPHOST} -Filter"
            " \"system.applicationHost/applicationPools/add[@name='MSExchangeOABAppPool']\""
            f" -Name queueLength -Value {drawn.randrange(10, 9999)}"
        ),
        (
            f"{SET} {APPHOST} -Location 'Default Web Site' -Filter system.webServer/directoryBrowse"
            " -Name enabled -Value false"
        ),
    ]
    yield from drawn.sample(every, 4)


def quoted(text: str) -> str:
    """Write a text as a literal of PowerShell."""
    for quote in "'\u2018\u2019\u201a\u201b":
        text = text.replace(quote, quote * 2)
    return f"'{text}'"
