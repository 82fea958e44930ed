"""What can be wrong with the lab's server, one by one, for the guards of a script to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab import Lab

SYSTEM = "C/Windows/System32"


def name(lab: Lab, other: str = "EX09") -> None:
    """The computer has another name."""
    _environment(lab, COMPUTERNAME=other)


def x86(lab: Lab) -> None:
    """A 32-bit PowerShell on 64-bit Windows."""
    _environment(lab, PROCESSOR_ARCHITECTURE="x86", PROCESSOR_ARCHITEW6432="AMD64")


def not_elevated(lab: Lab) -> None:
    """The shell was not started as administrator."""
    lab.edit(elevated=False)


def setup_running(lab: Lab) -> None:
    lab.edit(processes=[*lab.state["processes"], "ExSetup", "ExSetupUI"])


def watermark(lab: Lab, value: str = "Watermark", role: str = "MailboxRole") -> None:
    """Setup was interrupted: `Watermark` or `Action` is left below the version's key."""
    _registry(lab, lambda key: key.endswith(f"\\{role}"), {value: "Install"})


def version(lab: Lab, major: int = 14) -> None:
    """Another Exchange is installed."""
    keys = lab.state["registry"]
    older = {
        key.replace(r"ExchangeServer\v15", rf"ExchangeServer\v{major}"): v
        for key, v in keys.items()
    }
    lab.edit(registry=older)
    _registry(lab, lambda key: key.endswith("Setup"), {"MsiProductMajor": major})


def install_path(lab: Lab, path: str = "D:\\Exchange\\") -> None:
    _registry(lab, lambda key: key.endswith("Setup"), {"MsiInstallPath": path})
    _environment(lab, ExchangeInstallPath=path)


def shared_configuration(lab: Lab) -> None:
    text = (
        '<configurationRedirection enabled="true" path="\\\\farm\\iis" userName="" password="" />'
    )
    file = lab.folder / SYSTEM / "inetsrv/config/redirection.config"
    whole = f'<?xml version="1.0"?>\n<configuration>\n  {text}\n</configuration>\n'
    file.write_text(whole, encoding="utf-8", newline="")


def no_rewrite(lab: Lab) -> None:
    """The URL Rewrite module is not installed."""
    keys = lab.state["registry"]
    lab.edit(registry={key: value for key, value in keys.items() if "URL Rewrite" not in key})
    (lab.folder / SYSTEM / "inetsrv/config/schema/rewrite_schema.xml").unlink()
    lines = lab.apphost.read_text("utf-8").splitlines(keepends=True)
    kept = "".join(line for line in lines if "RewriteModule" not in line)
    lab.apphost.write_text(kept, encoding="utf-8", newline="")


def no_webadministration(lab: Lab) -> None:
    """Only appcmd.exe is there."""
    (lab.folder / "Modules/WebAdministration/WebAdministration.psm1").unlink()


def no_shell(lab: Lab) -> None:
    """Neither RemoteExchange.ps1 nor any endpoint; a snap-in is there."""
    (lab.file("bin") / "RemoteExchange.ps1").unlink(missing_ok=True)
    lab.edit(endpoints=[], session="missing")


def no_endpoint(lab: Lab) -> None:
    """This server's PowerShell directory does not answer; that of ex02.contoso.com does."""
    lab.edit(endpoints=["ex02.contoso.com"])


def clr4(lab: Lab) -> None:
    """Exchange 2010's shell was started under CLR 4."""
    lab.edit(powershell={"version": "4.0", "clr": "4.0.30319"})


def hidden(lab: Lab, cmdlet: str, parameter: str | None = None) -> None:
    """The rights of the user hide a parameter, or the whole cmdlet."""
    lab.hidden.append((cmdlet, parameter))


def failing(lab: Lab, cmdlet: str, message: str = "Active Directory isn't available.") -> None:
    lab.edit(failing=lab.state["failing"] | {cmdlet: message})


def iis_refused(lab: Lab, cmdlet: str) -> None:
    """Active Directory answers a cmdlet, IIS does not."""
    message = "An IIS directory entry couldn't be created. The error message is Access is denied."
    failing(lab, f"{cmdlet} in IIS", f"{message}\n\nHResult = -2147024891")


def working(lab: Lab, cmdlet: str) -> None:
    """What failed works again."""
    lab.edit(failing={key: v for key, v in lab.state["failing"].items() if key != cmdlet})


def dc_lag(lab: Lab, seconds: float = 2) -> None:
    """What was set shows only after a while."""
    lab.edit(lag_s=seconds)


def _environment(lab: Lab, **values: str) -> None:
    lab.edit(environment=lab.state["environment"] | values)


def _registry(lab: Lab, which: Callable[[str], bool], values: dict[str, Any]) -> None:
    keys = lab.state["registry"]
    lab.edit(registry={key: held | values if which(key) else held for key, held in keys.items()})


BREAKS: dict[str, Callable[..., None]] = {
    one.__name__.replace("_", "-"): one
    for one in (
        name, x86, not_elevated, setup_running, watermark, version, install_path,
        shared_configuration, no_rewrite, no_webadministration, no_shell, no_endpoint, clr4,
        hidden, failing, iis_refused, working, dc_lag,
    )
}  # fmt: skip
