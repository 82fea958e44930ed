"""What the runbook is filled from: facts of a snapshot, and nothing that it does not tell."""

from __future__ import annotations

import pytest
from bundles import IIS, OWA, Program, clixml, iis, vdir

from changelog_tracker.pipeline.drift import known_server
from changelog_tracker.pipeline.moments import find_snapshot
from changelog_tracker.pipeline.replay_facts import replay_facts
from changelog_tracker.pipeline.server_state import server_state
from changelog_tracker.store.database import Database

AT = "2026-11-20T09:00:00Z"
CERTIFICATE = "exchange/ExchangeCertificate.clixml"
SERVER = "exchange/ExchangeServer.clixml"
MANAGEMENT = "Microsoft.Exchange.Data.Directory.Management.ExchangeServer"
TASKS = "Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate"
THUMBPRINT = "5D0C2E7A91B348F6A0D3C4E5F60718293A4B5C6D"
SECTION = (
    '<system.webServer><globalModules><add name="{name}" image="%windir%\\x.dll" />'
    "</globalModules></system.webServer>"
)
OF_BUNDLE = {
    "Build": "15.2.1118.7",
    "InstallPath": "C:/Program Files/Microsoft/Exchange Server/V15",
    "WindowsBuild": "10.0.17763",
    "TimeZone": "W. Europe Standard Time",
    "MachineSid": "S-1-5-21-1-2-3",
}


@pytest.fixture
def facts(tmp_path):
    """Take one snapshot, and gather its facts."""

    def gather(files, **other):
        program = Program(tmp_path)
        assert program.take(AT, files, **other).code in (0, 4)
        database = Database(str(program.store))
        with database.reading() as connection:
            number, name = known_server(connection, "EX01")
            snapshot = find_snapshot(connection, number, name, "latest")
            found = replay_facts(server_state(connection, number, name, snapshot))
        database.close()
        return found

    return gather


def test_what_no_export_tells_is_missing(facts):
    """Of a server whose OWA alone was read, the bundle's facts are known and no other."""
    assert facts({OWA: vdir("Owa")}) == OF_BUNDLE


def test_facts_of_exports_and_of_iis(facts):
    """Name, certificates, the rewrite module and addresses of bindings come from where they are."""
    bindings = "".join(
        f'<binding protocol="{protocol}" bindingInformation="{told}" />'
        for protocol, told in (
            ("https", "192.0.2.10:443:mail.contoso.com"),
            ("http", "[2001:db8::1]:80:"),
            ("http", "127.0.0.1:80:"),
            ("https", ":443:"),
            ("net.tcp", "808:*"),
        )
    )
    config = iis(extra=SECTION.format(name="RewriteModule")).decode()
    config = config.replace("<bindings>", f"<bindings>{bindings}")
    certificate = {"Thumbprint": THUMBPRINT, "Subject": "CN=mail.contoso.com", "Services": "IIS"}
    files = {
        IIS: config.encode(),
        SERVER: clixml(MANAGEMENT, {"Identity": "EX01", "Fqdn": "EX01.contoso.com"}),
        CERTIFICATE: clixml(TASKS, certificate),
    }
    assert facts(files) == {
        **OF_BUNDLE,
        "Fqdn": "EX01.contoso.com",
        "Certificates": [{**certificate, "Services": ["IIS"]}],
        "Rewrite": True,
        "addresses": ["192.0.2.10", "[2001:db8::1]"],
    }


def test_none_is_told_from_not_known(facts):
    """Bindings on every address are an empty list; modules without the rewrite module are False."""
    found = facts({IIS: iis(extra=SECTION.format(name="StaticFileModule")), CERTIFICATE: "denied"})
    assert found == {**OF_BUNDLE, "Rewrite": False, "addresses": []}
