"""The sample server of the lab as Setup leaves it: its objects in Active Directory and the rest."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CMDLETS: dict[str, Any] = json.loads((HERE / "cmdlets.json").read_text("utf-8"))["cmdlets"]
FRONT, BACK = "Default Web Site", "Exchange Back End"
BUILDS = {
    "2010": "14.3.123.4",
    "2013": "15.0.1497.2",
    "2016": "15.1.2375.7",
    "2019": "15.2.1118.7",
    "SE": "15.2.2562.17",
}
# Noun: application, its pool, its folder on 2013 and later, and on 2010.
DIRECTORIES = {
    "OwaVirtualDirectory": ("owa", "OWA", "owa", "owa"),
    "EcpVirtualDirectory": ("ecp", "ECP", "ecp", "ecp"),
    "ActiveSyncVirtualDirectory": ("Microsoft-Server-ActiveSync", "Sync", "sync", "sync"),
    "WebServicesVirtualDirectory": ("EWS", "Services", "EWS", r"exchweb\EWS"),
    "OabVirtualDirectory": ("OAB", "OAB", "OAB", "OAB"),
    "AutodiscoverVirtualDirectory": ("Autodiscover",) * 4,
    "MapiVirtualDirectory": ("mapi", "MapiFrontEnd", "mapi", ""),
    "PowerShellVirtualDirectory": (
        *("PowerShell", "PowerShellFrontEnd", "PowerShell", "PowerShell"),
    ),
}  # fmt: skip
# What Set- takes and Get- does not give, and what makes no setting.
NOT_SHOWN = {
    *("Identity", "DomainController", "Confirm", "WhatIf", "Server", "Force", "Name", "ProductKey"),
    *("CalendarPublishingEnabled", "CrossSiteRedirectType", "LegacyRedirectType", "OWAMiniEnabled"),
    *("MRSProxyMaxConnections", "InstallIsapiFilter", "ApplyDefaults", "UseDefaultAttributes"),
    *("DefaultAuthenticationMethod", "AlternateServiceAccountCredential", "ForceUpgrade"),
}
NEUTRAL = {"Boolean": False, "MultiValuedProperty": [], "Int32": 0, "EnhancedTimeSpan": "00:30:00"}
INTERNAL = {
    "OwaVirtualDirectory": "https://{fqdn}/owa",
    "EcpVirtualDirectory": "https://{fqdn}/ecp",
    "ActiveSyncVirtualDirectory": "https://{fqdn}/Microsoft-Server-ActiveSync",
    "WebServicesVirtualDirectory": "https://{fqdn}/EWS/Exchange.asmx",
    "OabVirtualDirectory": "https://{fqdn}/OAB",
    "MapiVirtualDirectory": "https://{fqdn}/mapi",
    "PowerShellVirtualDirectory": "http://{fqdn}/powershell",
}
# Where Setup sets something else than what the parameter's page calls the default.
AS_INSTALLED: dict[str, dict[str, Any]] = {
    "OwaVirtualDirectory": {
        "ExternalAuthenticationMethods": ["Fba"],
        "AllowedFileTypes": [".docx", ".pdf", ".xlsx"],
        "AllowedMimeTypes": ["image/bmp", "image/gif", "image/jpeg", "image/png"],
        "BlockedFileTypes": [".bat", ".exe", ".vbs"],
        "BlockedMimeTypes": ["application/hta", "text/javascript"],
        "ForceSaveFileTypes": [".htm", ".swf"],
        "ForceSaveMimeTypes": ["text/html", "Application/octet-stream"],
        "InstantMessagingType": "None",
        "RemoteDocumentsActionForUnknownServers": "Block",
    },
    "EcpVirtualDirectory": {
        "AdminEnabled": True,
        "OwaOptionsEnabled": True,
        "FormsAuthentication": True,
        "ExternalAuthenticationMethods": ["Fba"],
    },
    "ActiveSyncVirtualDirectory": {
        "MobileClientCertificateProvisioningEnabled": False,
        "RemoteDocumentsActionForUnknownServers": "Allow",
    },
    "WebServicesVirtualDirectory": {"CertificateAuthentication": None},
    "OabVirtualDirectory": {"PollInterval": 480, "OAuthAuthentication": True},
    "MapiVirtualDirectory": {"IISAuthenticationMethods": ["Ntlm", "OAuth", "Negotiate"]},
    "OutlookAnywhere": {
        "SSLOffloading": True,
        "ExternalClientAuthenticationMethod": "Negotiate",
        "InternalClientAuthenticationMethod": "Ntlm",
        "IISAuthenticationMethods": ["Basic", "Ntlm", "Negotiate"],
        "ExtendedProtectionTokenChecking": "None",
    },
    "PopSettings": {
        "Banner": "The Microsoft Exchange POP3 service is ready.",
        "LoginType": "SecureLogin",
        "LogFileLocation": "{install}Logging\\Pop3",
        "LogPerFileSizeQuota": "0 B (0 bytes)",
        "UnencryptedOrTLSBindings": ["[::]:110", "0.0.0.0:110"],
        "SSLBindings": ["[::]:995", "0.0.0.0:995"],
        "InternalConnectionSettings": ["{fqdn}:995:SSL", "{fqdn}:110:TLS"],
    },
    "ImapSettings": {
        "Banner": "The Microsoft Exchange IMAP4 service is ready.",
        "LoginType": "SecureLogin",
        "LogFileLocation": "{install}Logging\\Imap4",
        "LogPerFileSizeQuota": "0 B (0 bytes)",
        "UnencryptedOrTLSBindings": ["[::]:143", "0.0.0.0:143"],
        "SSLBindings": ["[::]:993", "0.0.0.0:993"],
        "InternalConnectionSettings": ["{fqdn}:993:SSL", "{fqdn}:143:TLS"],
    },
    "ClientAccessServer": {
        "AutoDiscoverServiceInternalUri": "https://{fqdn}/Autodiscover/Autodiscover.xml",
        "AutoDiscoverSiteScope": ["Default-First-Site-Name"],
        "IrmLogMaxDirectorySize": "250 MB (262,144,000 bytes)",
        "IrmLogMaxFileSize": "10 MB (10,485,760 bytes)",
        "IrmLogMaxAge": "30.00:00:00",
    },
    "RpcClientAccess": {"EncryptionRequired": True},
    "ExchangeServer": {"MitigationsEnabled": True, "ErrorReportingEnabled": False},
    "OfflineAddressBook": {"IsDefault": True, "Versions": ["Version4"]},
}  # fmt: skip
AS_INSTALLED["ClientAccessService"] = AS_INSTALLED["ClientAccessServer"]
NAMES = {
    "OutlookAnywhere": "Rpc (Default Web Site)",
    "ClientAccessServer": "{server}",
    "ClientAccessService": "{server}",
    "RpcClientAccess": "RpcClientAccess",
    "PopSettings": "1",
    "ImapSettings": "1",
    "ExchangeServer": "{server}",
    "OfflineAddressBook": "Default Offline Address Book",
}
OLD_MAJOR, OLD_VERSION = "14", "2010"


@dataclass(frozen=True)
class Machine:
    """Which server the factory builds."""

    server: str
    version: str
    sid: str
    created: str

    @property
    def fqdn(self) -> str:
        return f"{self.server}.contoso.com"

    @property
    def build(self) -> str:
        return BUILDS[self.version]

    @property
    def folder(self) -> str:
        """The registry's and the installation's name of the major version."""
        return "V14" if self.version == OLD_VERSION else "V15"

    @property
    def install(self) -> str:
        return rf"C:\Program Files\Microsoft\Exchange Server\{self.folder}" + "\\"


def parameters(cmdlet: str, version: str) -> dict[str, Any]:
    """Give the parameters that a cmdlet has in a version; nothing where it is not there."""
    found = CMDLETS.get(cmdlet)
    if found is None or version not in found["versions"]:
        return {}
    return {
        name: one
        for name, one in found["parameters"].items()
        if version in one.get("versions", found["versions"])
    }


def values(noun: str, machine: Machine) -> dict[str, Any]:
    """Give what Active Directory holds of a fresh object."""
    said = {}
    for name, one in parameters(f"Set-{noun}", machine.version).items():
        if name in NOT_SHOWN or one["type"] in ("SwitchParameter", "PSCredential[]"):
            continue
        neutral = [] if one["type"].endswith("[]") else NEUTRAL.get(one["type"])
        default = one.get("default", neutral)
        said[name] = [] if one["type"] == "MultiValuedProperty" else default
    own = AS_INSTALLED.get(noun, {})
    said |= {name: _filled(value, machine) for name, value in own.items() if name in said}
    if "InternalUrl" in said and noun in INTERNAL:
        said["InternalUrl"] = INTERNAL[noun].format(fqdn=machine.fqdn.lower())
    return said


def _filled(value: Any, machine: Machine) -> Any:
    if isinstance(value, list):
        return [_filled(one, machine) for one in value]
    if not isinstance(value, str):
        return value
    return value.replace("{fqdn}", machine.fqdn.lower()).replace("{install}", machine.install)


def entry(noun: str, machine: Machine, place: str | None, **more: Any) -> dict[str, Any]:
    """Make one object of the directory; its place is where IIS holds it."""
    return {
        "Guid": str(uuid.uuid4()),
        "WhenCreated": machine.created,
        "place": place,
        "values": values(noun, machine) | more,
    }


def objects(machine: Machine) -> dict[str, dict[str, Any]]:
    """Make every object of a fresh server, by noun and name."""
    made: dict[str, dict[str, Any]] = {}
    for noun, (application, *_) in DIRECTORIES.items():
        if f"Get-{noun}" not in CMDLETS or not parameters(f"Get-{noun}", machine.version):
            continue
        sites = (
            [FRONT] if machine.version == OLD_VERSION or noun.startswith("Mapi") else [FRONT, BACK]
        )
        made[noun] = {
            f"{application} ({site})": entry(noun, machine, f"{site}/{application}")
            for site in sites
        }
    for noun, name in NAMES.items():
        if not parameters(f"Get-{noun}", machine.version):
            continue
        if noun == "OutlookAnywhere" and machine.version == OLD_VERSION:
            made[noun] = {}
            continue
        place = f"{FRONT}/Rpc" if noun == "OutlookAnywhere" else None
        made[noun] = {name.format(server=machine.server): entry(noun, machine, place)}
    book = made["OfflineAddressBook"]["Default Offline Address Book"]["values"]
    book["VirtualDirectories"] = [rf"{machine.server}\OAB ({FRONT})"]
    made["ExchangeServer"][machine.server]["values"] |= about_server(machine)
    made["ExchangeCertificate"] = certificates(machine)
    made["ClientAccessArray"] = {}
    return made


def about_server(machine: Machine) -> dict[str, Any]:
    """Give what Get-ExchangeServer says and nobody sets."""
    major, minor, *rest = machine.build.split(".")
    roles = "ClientAccess" if machine.version in ("2010", "2013") else "Mailbox, ClientAccess"
    return {
        "AdminDisplayVersion": f"Version {major}.{minor} (Build {'.'.join(rest)})",
        "Domain": "contoso.com",
        "Edition": "Standard",
        "Fqdn": machine.fqdn,
        "IsClientAccessServer": True,
        "ServerRole": roles,
        "Site": "contoso.com/Configuration/Sites/Default-First-Site-Name",
    }


def certificates(machine: Machine) -> dict[str, Any]:
    """Make the self-signed certificate that Setup gives every service."""
    thumbprint = uuid.uuid4().hex.upper() + "00000000"
    said = {
        "Subject": f"CN={machine.server}",
        "Issuer": f"CN={machine.server}",
        "CertificateDomains": [machine.server, machine.fqdn],
        "Services": "IMAP, POP, IIS, SMTP",
        "Status": "Valid",
        "IsSelfSigned": True,
        "HasPrivateKey": True,
        "FriendlyName": "Microsoft Exchange",
        "NotAfter": "2031-01-05T08:00:00Z",
        "NotBefore": "2026-01-05T08:00:00Z",
        "Thumbprint": thumbprint,
    }
    guid = str(uuid.uuid4())
    return {
        thumbprint: {"Guid": guid, "WhenCreated": machine.created, "place": None, "values": said}
    }


def registry(machine: Machine) -> dict[str, dict[str, Any]]:
    major, minor, build, revision = (int(one) for one in machine.build.split("."))
    exchange = rf"SOFTWARE\Microsoft\ExchangeServer\{machine.folder.lower()}"
    roles = ("AdminTools", "ClientAccessRole", "HubTransportRole", "MailboxRole")
    return {
        exchange: {},
        rf"{exchange}\Setup": {
            "MsiInstallPath": machine.install,
            "MsiProductMajor": major,
            "MsiProductMinor": minor,
            "MsiBuildMajor": build,
            "MsiBuildMinor": revision,
        },
        **{rf"{exchange}\{role}": {"ConfiguredVersion": machine.build} for role in roles},
        r"SOFTWARE\Microsoft\IIS Extensions\URL Rewrite": {
            "Version": "7.1.1993.2351",
            "Install": 1,
        },
        r"SOFTWARE\Microsoft\InetStp": {"MajorVersion": 10, "MinorVersion": 0},
        r"SOFTWARE\Microsoft\Windows NT\CurrentVersion": {"CurrentBuildNumber": "17763"},
        r"SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName": {
            "ComputerName": machine.server
        },
    }


def services(machine: Machine) -> dict[str, dict[str, str]]:
    automatic = ("W3SVC", "WAS", "AppHostSvc", "MSExchangeADTopology", "MSExchangeServiceHost")
    manual = ["MSExchangePOP3", "MSExchangeIMAP4"]
    if machine.version != OLD_VERSION:
        manual += ["MSExchangePOP3BE", "MSExchangeIMAP4BE"]
    return {
        **{name: {"Status": "Running", "StartType": "Automatic"} for name in automatic},
        **{name: {"Status": "Stopped", "StartType": "Manual"} for name in manual},
    }
