"""Whose word the runbook passes on: a title and where it stands."""

from __future__ import annotations

_LEARN = "learn.microsoft.com/exchange"
_CSS = "microsoft.github.io/CSS-Exchange"

SOURCES = {
    "recover": (
        "Microsoft: Recover Exchange servers",
        f"{_LEARN}/high-availability/disaster-recovery/recover-exchange-servers",
    ),
    "recover-2013": (
        "Microsoft: Recover an Exchange Server, Exchange 2013 Help",
        f"{_LEARN}/recover-an-exchange-server-exchange-2013-help",
    ),
    "dag": (
        "Microsoft: Recover a database availability group member server",
        f"{_LEARN}/high-availability/disaster-recovery/recover-dag-member-servers",
    ),
    "metabase": ("Microsoft: Client Access Server Data, Exchange 2007", "TechNet aa998364"),
    "updates": (
        "Microsoft: Upgrade Exchange to the latest Cumulative Update",
        f"{_LEARN}/plan-and-deploy/install-cumulative-updates",
    ),
    "web-config": ("CSS-Exchange: IIS web configuration check", f"{_CSS} IISWebConfigCheck"),
    "cu14": ("CSS-Exchange: Emerging Issues, KB 5036404", f"{_CSS} Emerging-Issues"),
    "windows": (
        "Microsoft: Windows Server release information",
        "learn.microsoft.com/windows-server/get-started/windows-server-release-info",
    ),
    "cmdlets": (
        "Microsoft: Exchange PowerShell reference",
        "learn.microsoft.com/powershell/module/exchange",
    ),
    "powershell": (
        "Microsoft: about_Execution_Policies, about_Signing, Unblock-File",
        "learn.microsoft.com/powershell/module/microsoft.powershell.core",
    ),
    "back-end": (
        "CSS-Exchange HealthChecker; blogs: vcloudnine.de, terenceluk.blogspot.com",
        "blank page of Outlook on the web, event 15021 of HttpEvent",
    ),
    "auth": ("Blog: jaapwesselius.com", "expired Auth Certificate, error 500"),
    "health": ("Blog: frankysweb.de", "Exchange 2016: HealthCheck URLs for load balancers"),
    "servicelet": (
        "Exchange team blog: How does Outlook Anywhere work? (2007)",
        "RpcHttpConfigurator writes every 15 minutes",
    ),
}
