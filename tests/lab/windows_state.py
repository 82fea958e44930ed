"""What the lab's Windows keeps besides IIS and files: http.sys, certificates, TLS, event logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from factory import Machine

SERVICES = "SYSTEM\\CurrentControlSet\\Services"
HTTP = rf"{SERVICES}\HTTP\Parameters"
SCHANNEL = r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL"
COMPONENTS = r"SOFTWARE\Microsoft\InetStp\Components"
IIS_LOG, EXCHANGE_LOG = "Microsoft-IIS-Configuration/Operational", "MSExchange Management"
# {4dc3e181-e14b-4a21-b022-59fc669b0914} is IIS; a GUID in bytes begins backwards.
IIS_APP = "81e1c34d4be1214ab02259fc669b0914"


def with_windows(state: dict[str, Any], machine: Machine) -> dict[str, Any]:
    """Add it to the state of a fresh server."""
    thumbprint, held = next(iter(state["objects"]["ExchangeCertificate"].items()))
    state["registry"] |= registry(machine, thumbprint)
    state["certificates"] = [certificate(thumbprint, held["values"])]
    state["events"] = {
        IIS_LOG: {"enabled": False, "records": []},
        EXCHANGE_LOG: {"enabled": True, "records": []},
    }
    # Keys that nobody may open, and what else is refused with which message.
    state["denied"] = []
    state["refused"] = {}
    return state


def registry(machine: Machine, thumbprint: str) -> dict[str, dict[str, Any]]:
    """
    Give the keys.

    A value is a number (DWord), a text (String), a list (MultiString), or a table of its type.
    """
    bound = {
        "AppId": {"Binary": IIS_APP},
        "DefaultFlags": 0,
        "DefaultSslCertCheckMode": 0,
        "DefaultSslRevocationFreshnessTime": 0,
        "DefaultSslRevocationUrlRetrievalTimeout": 0,
        "SslCertHash": {"Binary": thumbprint.lower()},
        "SslCertStoreName": "MY",
    }
    return {
        rf"{HTTP}\SslBindingInfo\0.0.0.0:443": bound,
        rf"{HTTP}\SslBindingInfo\0.0.0.0:444": bound,
        COMPONENTS: {"ASPNET45": 1, "BasicAuthentication": 1, "FTPServer": 0, "W3SVC": 1},
        rf"{SCHANNEL}\Ciphers\RC4 128/128": {"Enabled": 0},
        rf"{SCHANNEL}\Protocols\TLS 1.2\Server": {"DisabledByDefault": 0, "Enabled": 0xFFFFFFFF},
        rf"{SERVICES}\Tcpip\Parameters": {
            "Hostname": machine.server,
            "Domain": "contoso.com",
            "KeepAliveTime": 1_800_000,
        },
        rf"{SERVICES}\MSExchange OWA": {"PublicTimeout": 15},
    }


def certificate(thumbprint: str, said: dict[str, Any]) -> dict[str, Any]:
    """Make one of LocalMachine\\My of what Get-ExchangeCertificate says."""
    return {
        "Thumbprint": thumbprint,
        "Subject": said["Subject"],
        "Issuer": said["Issuer"],
        "NotBefore": said["NotBefore"],
        "NotAfter": said["NotAfter"],
        "SerialNumber": f"5A{thumbprint[:30]}",
        "HasPrivateKey": said["HasPrivateKey"],
        "FriendlyName": said["FriendlyName"],
        "Names": alternative_names(said["CertificateDomains"]),
    }


def alternative_names(names: list[str]) -> str:
    """Write DNS names as the extension subjectAltName holds them, in hex digits."""
    return _der(0x30, b"".join(_der(0x82, name.encode("ascii")) for name in names)).hex()


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(digits)]) + digits + content


def event(time: str, text: str, number: int = 1) -> dict[str, str]:
    """Make one event as Windows renders it; `text` is XML already."""
    xml = (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
        f"<EventID>29</EventID><EventRecordID>{number}</EventRecordID>"
        f"<TimeCreated SystemTime='{time}'/></System>"
        f"<EventData><Data Name='NewValue'>{text}</Data></EventData></Event>"
    )
    return {"time": time, "xml": xml}
