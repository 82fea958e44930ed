"""A server that is customised, lost and recovered in the lab, as this program's store knows it."""

from __future__ import annotations

import copy
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab import Lab

sys.path.insert(0, str(Path(__file__).parents[1] / "journeys"))

from bundles import Program, path_of  # noqa: F401

if TYPE_CHECKING:
    from lab import Answer

INSTALLED, CUSTOMISED, LOST, AFTER = (f"2026-11-0{day}T10:00:00Z" for day in (1, 2, 3, 4))
# What an administrator did to the server in its life.
CUSTOMISATION = r"""
Set-OwaVirtualDirectory -Identity 'EX01\owa (Default Web Site)' `
    -ExternalUrl 'https://mail.contoso.com/owa' -LogonFormat UserName -DefaultDomain CONTOSO
Set-OwaVirtualDirectory -Identity 'EX01\owa (Default Web Site)' -CalendarEnabled $false
Set-EcpVirtualDirectory -Identity 'EX01\ecp (Default Web Site)' `
    -ExternalUrl 'https://mail.contoso.com/ecp'
Set-OutlookAnywhere -Identity 'EX01\Rpc (Default Web Site)' -ExternalHostname mail.contoso.com `
    -ExternalClientsRequireSsl $true -ExternalClientAuthenticationMethod Negotiate
$apphost = 'MACHINE/WEBROOT/APPHOST'
Set-WebConfigurationProperty -PSPath $apphost -Location 'Default Web Site/owa' `
    -Filter system.webServer/httpRedirect -Name enabled -Value false
Set-WebConfigurationProperty -PSPath $apphost -Location 'Default Web Site' `
    -Filter system.webServer/httpRedirect -Name destination -Value 'https://mail.contoso.com/owa'
Set-WebConfigurationProperty -PSPath $apphost -Location 'Default Web Site' `
    -Filter system.webServer/httpRedirect -Name enabled -Value true
Add-WebConfigurationProperty -PSPath $apphost -Location 'Default Web Site/owa' `
    -Filter system.webServer/httpProtocol/customHeaders -Name '.' `
    -Value @{ name = 'X-Frame-Options'; value = 'SAMEORIGIN' }
Add-WebConfigurationProperty -PSPath $apphost -Filter system.applicationHost/applicationPools `
    -Name '.' -Value @{ name = 'Contoso' }
Set-WebConfigurationProperty -PSPath $apphost `
    -Filter "system.applicationHost/applicationPools/add[@name='MSExchangeOABAppPool']" `
    -Name queueLength -Value 4000
"""
EWS = "ClientAccess/exchweb/EWS/web.config"


@dataclass(frozen=True)
class Recovery:
    """
    A lab and the store that knows it.

    Args:
        folder: Holds both, the bundles and the plan.
        lab: The server.
        program: The command line with the store.
    """

    folder: Path
    lab: Lab
    program: Program

    def take(self, at: str) -> None:
        """Take a snapshot of the lab into the store."""
        bundle = self.lab.snapshot(self.folder / f"bundle-{at[:10]}", at)
        answer = self.program.run("import", bundle)
        assert (answer.code, answer.err) == (0, ""), answer

    def plan(self, *arguments: str) -> dict[str, Any]:
        """Write the plan and its scripts."""
        answer = self.program.run("replay", "EX01", "-o", self.out, "--force", *arguments)
        assert answer.code == 0, answer.err
        return json.loads((self.out / "plan.json").read_text())

    @property
    def out(self) -> Path:
        """Where the plan's files are."""
        return self.folder / "out"

    def replay(self, *arguments: str) -> Answer:
        """Run replay.ps1 in the lab."""
        return self.lab.run(self.out / "replay.ps1", *arguments)

    def undo(self, *arguments: str) -> Answer:
        """Run undo.ps1 on the journal of the newest run that set something."""
        return self.lab.run(self.out / "undo.ps1", "-Journal", str(self.journals()[-1]), *arguments)

    def journals(self) -> list[Path]:
        """Give the journals, oldest first."""
        return sorted(self.out.glob("replay-*.journal"))

    def verify(self, at: str = AFTER) -> tuple[int, list[dict[str, Any]]]:
        """Take a snapshot, and hold it against the baseline."""
        self.take(at)
        answer = self.program.run("verify", "EX01", "--json")
        return answer.code, answer.lines

    def copy(self, folder: Path) -> Recovery:
        """Give the same once more, so that a test may break it."""
        shutil.copytree(self.folder, folder, symlinks=True)
        lab = copy.copy(self.lab)
        lab.folder = (folder / "lab").resolve()
        lab.hidden = []
        return Recovery(folder, lab, Program(folder / "program"))


def states(answer: Answer) -> dict[str, str]:
    """Give the state of each step, from the table at the end."""
    found = {}
    for line in answer.out.splitlines():
        words = line.split(maxsplit=2)
        if words and words[0][:1] == "s" and words[0][1:2].isdigit():
            found[words[0]] = words[1]
    return found


def lost_server(folder: Path) -> Recovery:
    """Install a server, customise it, document it, accept it, lose it and recover it."""
    folder.mkdir(parents=True)
    one = Recovery(folder, Lab(folder), Program(folder / "program"))
    one.take(INSTALLED)
    one.lab.powershell(CUSTOMISATION)
    file = one.lab.file(EWS)
    file.write_bytes(file.read_bytes().replace(b"67108864", b"134217728", 3))
    one.take(CUSTOMISED)
    ids = [line["id"] for line in one.program.log()]
    assert one.program.run("document", *ids, "--reason", "as designed").code == 0
    assert one.program.run("baseline", "set", "EX01").code == 0
    one.lab.recover()
    one.lab.clear_log()
    one.take(LOST)
    return one
