"""What collect.ps1 reads of Windows itself: http.sys, registry, services, certificates."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from lab import PWSH
from windows_server import KINDS, Server, lines, manifest, readings
from windows_state import HTTP, SCHANNEL, SERVICES

pytestmark = [
    pytest.mark.pwsh,
    pytest.mark.skipif(PWSH is None, reason="no pwsh on PATH to run scripts in the lab with"),
]
OWN = r"SYSTEM\CurrentControlSet"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A server as Setup leaves it, with one web page, and its bundle."""
    server = Server(tmp_path_factory.mktemp("fresh"))
    (server.lab.c / "inetpub/wwwroot/iisstart.htm").write_bytes(b"<html></html>")
    bundle, code = server.bundle()
    assert code == 0
    return server, bundle


@pytest.fixture
def server(tmp_path):
    return Server(tmp_path)


# ---- the kinds


def test_the_certificates_of_http_sys_are_read_as_the_registry_names_them(fresh):
    thumbprint = next(iter(fresh[0].lab.state["objects"]["ExchangeCertificate"]))
    bound = {
        "AppId": "{4dc3e181-e14b-4a21-b022-59fc669b0914}",
        "DefaultFlags": 0,
        "DefaultSslCertCheckMode": 0,
        "DefaultSslRevocationFreshnessTime": 0,
        "DefaultSslRevocationUrlRetrievalTimeout": 0,
        "SslCertHash": thumbprint,
        "SslCertStoreName": "MY",
    }
    expected = {"0.0.0.0:443": bound, "0.0.0.0:444": bound}
    assert lines(fresh[1], "SslBinding") == expected


def test_only_what_the_catalogue_names_is_read_of_the_registry(fresh):
    assert lines(fresh[1], "RegistryValue") == {
        rf"HKLM\{SCHANNEL}\Ciphers\RC4 128/128 : Enabled": {"Type": "DWord", "Data": 0},
        rf"HKLM\{SCHANNEL}\Protocols\TLS 1.2\Server : DisabledByDefault": {
            "Type": "DWord",
            "Data": 0,
        },
        rf"HKLM\{SCHANNEL}\Protocols\TLS 1.2\Server : Enabled": {
            "Type": "DWord",
            "Data": 4294967295,
        },
        rf"HKLM\{SERVICES}\MSExchange OWA : PublicTimeout": {"Type": "DWord", "Data": 15},
        rf"HKLM\{SERVICES}\Tcpip\Parameters : KeepAliveTime": {"Type": "DWord", "Data": 1_800_000},
    }


def test_services_are_read_without_whether_they_run(fresh):
    on = {"StartMode": "Auto", "DelayedAutoStart": False, "Account": "LocalSystem"}
    by_hand = on | {"StartMode": "Manual"}
    assert lines(fresh[1], "Service") == {
        **dict.fromkeys(("AppHostSvc", "MSExchangeADTopology", "MSExchangeServiceHost"), on),
        **dict.fromkeys(("MSExchangeIMAP4", "MSExchangeIMAP4BE"), by_hand),
        **dict.fromkeys(("MSExchangePOP3", "MSExchangePOP3BE"), by_hand),
        **dict.fromkeys(("W3SVC", "WAS"), on),
    }


def test_certificates_are_read_without_their_keys(fresh):
    thumbprint = next(iter(fresh[0].lab.state["objects"]["ExchangeCertificate"]))
    assert lines(fresh[1], "Certificate") == {
        thumbprint: {
            "Subject": "CN=EX01",
            "Issuer": "CN=EX01",
            "NotBefore": "2026-01-05T08:00:00Z",
            "NotAfter": "2031-01-05T08:00:00Z",
            "SerialNumber": f"5A{thumbprint[:30]}",
            "DnsNames": ["EX01", "EX01.contoso.com"],
            "HasPrivateKey": True,
            "FriendlyName": "Microsoft Exchange",
        }
    }


def test_files_that_are_not_collected_whole_are_listed_by_their_hash(fresh):
    page = {
        "sha256": hashlib.sha256(b"<html></html>").hexdigest(),
        "size": 13,
        "version": None,
    }
    expected = {r"C:\inetpub\wwwroot\iisstart.htm": {"Content": page}}
    assert lines(fresh[1], "FileEntry") == expected


def test_every_kind_is_a_reading_with_the_hash_of_its_file(fresh):
    found = {one["kind"]: one for one in manifest(fresh[1])["readings"] if one["kind"] in KINDS}
    assert found == {
        kind: {
            "kind": kind,
            "file": f"windows/{kind}.jsonl",
            "mode": "full",
            "status": "read",
            "reason": None,
            "sha256": hashlib.sha256(
                (fresh[1] / "windows" / f"{kind}.jsonl").read_bytes()
            ).hexdigest(),
        }
        for kind in KINDS
    }


def test_what_windows_is_stands_in_the_manifest(fresh):
    windows = manifest(fresh[1])["windows"]
    assert {name: windows[name] for name in ("features", "url_rewrite", "iis_schema")} == {
        "features": ["ASPNET45", "BasicAuthentication", "W3SVC"],
        "url_rewrite": "7.1.1993.2351",
        "iis_schema": ["rewrite_schema.xml"],
    }


def test_every_type_of_value_is_read_and_2010_has_its_ports(tmp_path):
    server = Server(tmp_path, "2010")
    server.registry(
        **{
            rf"{SERVICES}\MSExchangeRPC\ParametersSystem": {"TCP/IP Port": 59531, "Other": 1},
            rf"{SERVICES}\MSExchangeAB\Parameters": {"RpcTcpPort": "59532"},
            rf"{OWN}\Control\Lsa\MSV1_0": {"BackConnectionHostNames": ["mail.contoso.com", "b"]},
            rf"{SCHANNEL}\Ciphers": {
                "": "default",
                "Bytes": {"Binary": "00ff"},
                "Empty": {"MultiString": []},
                "Large": {"QWord": 2**53},
                "Path": {"ExpandString": r"%windir%\x"},
            },
            r"SOFTWARE\Microsoft\ExchangeServer\v15\Diagnostics": {
                "EnableEccCertificateSupport": "1"
            },
        }
    )
    bundle, _ = server.bundle("-NoExchange")
    found = lines(bundle, "RegistryValue")
    ciphers = rf"HKLM\{SCHANNEL}\Ciphers : "
    expected = {
        rf"HKLM\{SERVICES}\MSExchangeRPC\ParametersSystem : TCP/IP Port": ("DWord", 59531),
        rf"HKLM\{SERVICES}\MSExchangeAB\Parameters : RpcTcpPort": ("String", "59532"),
        rf"HKLM\{OWN}\Control\Lsa\MSV1_0 : BackConnectionHostNames": (
            "MultiString",
            ["mail.contoso.com", "b"],
        ),
        ciphers + "(Default)": ("String", "default"),
        ciphers + "Bytes": ("Binary", "00ff"),
        ciphers + "Empty": ("MultiString", []),
        ciphers + "Large": ("QWord", 2**53),
        ciphers + "Path": ("ExpandString", r"%windir%\x"),
    }
    told = {name: (one["Type"], one["Data"]) for name, one in found.items()}
    assert {name: told[name] for name in expected} == expected
    assert not [name for name in found if "v15" in name or "Other" in name]


def test_host_names_and_addresses_of_both_kinds_are_bindings(server):
    bound = {"SslCertHash": {"Binary": "ab" * 20}, "AppId": {"Binary": "00" * 16}}
    server.registry(
        **{
            rf"{HTTP}\SslBindingInfo\[::]:444": bound,
            rf"{HTTP}\SslSniBindingInfo\{{0C5B}}": bound | {"HostnamePort": "Mail.contoso.com:443"},
            rf"{HTTP}\SslSniBindingInfo\legacy.contoso.com:443": {"SslCertHash": {"Binary": ""}},
        }
    )
    bundle, _ = server.bundle("-NoExchange", "-NoManifest")
    found = lines(bundle, "SslBinding")
    app = "{00000000-0000-0000-0000-000000000000}"
    assert list(found) == [
        *("0.0.0.0:443", "0.0.0.0:444", "[::]:444", "legacy.contoso.com:443"),
        "mail.contoso.com:443",
    ]
    assert found["[::]:444"] == {"SslCertHash": "AB" * 20, "AppId": app}
    assert found["mail.contoso.com:443"] == {"SslCertHash": "AB" * 20, "AppId": app}
    assert found["legacy.contoso.com:443"] == {"SslCertHash": ""}
    assert "FileEntry" not in readings(bundle)


def test_a_service_that_starts_late_under_an_account_and_a_key_that_is_none(server):
    server.registry(
        **{
            rf"{SERVICES}\MSExchangeHM": {
                "Start": 4,
                "DelayedAutostart": 1,
                "ObjectName": "C\\svc",
            },
            rf"{SERVICES}\MSExchange ADAccess\Performance": {"Library": "x.dll"},
            rf"{SERVICES}\Spooler": {"Start": 2},
        }
    )
    bundle, _ = server.bundle("-NoExchange", "-NoManifest")
    found = lines(bundle, "Service")
    assert found["MSExchangeHM"] == {
        "StartMode": "Disabled",
        "DelayedAutoStart": True,
        "Account": "C\\svc",
    }
    assert not {"Spooler", "MSExchange ADAccess", "MSExchange OWA"} & set(found)


def certificate(names):
    """Make a real certificate; give its subjectAltName as Windows holds it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    start = datetime(2026, 1, 5, tzinfo=UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    found = made.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return found.value.public_bytes().hex()


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (
            certificate(
                [
                    *(x509.DNSName(f"host{n}.contoso.com") for n in range(40)),
                    x509.RFC822Name("a@contoso.com"),
                ]
            ),
            [f"host{n}.contoso.com" for n in range(40)],
        ),
        ("", []),
        ("3005820361", None),
        ("30848204616161", None),
        ("04028200", None),
    ],
    ids=["many", "none", "cut", "long", "other"],
)
def test_dns_names_come_out_of_the_bytes_of_a_certificate(server, names, told):
    held = server.lab.state["certificates"]
    server.edit(certificates=[held[0] | {"Names": names}])
    bundle, _ = server.bundle("-NoExchange", "-NoManifest", "-NoEvidence")
    assert [one["DnsNames"] for one in lines(bundle, "Certificate").values()] == [told]


# ---- what is broken


BROKEN = {
    "bindings denied": ("SslBinding", {"denied": [rf"{HTTP}\SslBindingInfo"]}, "not allowed"),
    "registry denied": ("RegistryValue", {"denied": [rf"{SCHANNEL}\Ciphers"]}, "not allowed"),
    "service denied": ("Service", {"denied": [rf"{SERVICES}\W3SVC"]}, "not allowed"),
    "certificates denied": ("Certificate", {"refused": {"Cert:": "Access denied."}}, "Access den"),
    "binding without port": ("SslBinding", (rf"{HTTP}\SslBindingInfo\all", {}), "ADDRESS:PORT"),
    "host without port": ("SslBinding", (rf"{HTTP}\SslSniBindingInfo\{{1}}", {}), "NAME:PORT"),
    "short hash": (
        *("SslBinding", (rf"{HTTP}\SslBindingInfo\1.2.3.4:1", {"SslCertHash": {"Binary": "ab"}})),
        "is no hash (Binary of 1 bytes)",
    ),
    "text for an AppId": (
        *("SslBinding", (rf"{HTTP}\SslBindingInfo\1.2.3.4:1", {"AppId": "x"})),
        "is no GUID (String)",
    ),
    "odd type": ("RegistryValue", (SCHANNEL, {"Odd": {"None": "ab"}}), "not expected: None"),
    "odd start": ("Service", (rf"{SERVICES}\MSExchangeX", {"Start": 7}), "not expected: 7"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_one_broken_thing_is_one_unread_kind_and_the_rest_stays(fresh, server, what):
    kind, broken, told = BROKEN[what]
    if isinstance(broken, tuple):
        server.registry(**{broken[0]: broken[1]})
    else:
        server.edit(**broken)
    bundle, code = server.bundle("-NoExchange")
    found = readings(bundle)
    status, reason = found.pop(kind)
    assert (status, told in reason, code) == ("unread", True, 4)
    assert found == {one: ("read", None) for one in KINDS if one != kind}
    assert not (bundle / "windows" / f"{kind}.jsonl").exists()


def test_the_same_state_gives_the_same_bytes(fresh):
    server, first = fresh
    again, _ = server.bundle()
    for kind in KINDS:
        file = f"windows/{kind}.jsonl"
        assert (again / file).read_bytes() == (first / file).read_bytes()


def test_nothing_is_written_but_the_bundle(fresh):
    server, _ = fresh
    server.lab.clear_log()

    def held():
        files = sorted(file for file in server.lab.c.rglob("*") if file.is_file())
        return {file: file.read_bytes() for file in files}

    before = held()
    server.bundle()
    assert held() == before
    assert (server.lab.writes(), server.lab.restarts()) == ([], [])
