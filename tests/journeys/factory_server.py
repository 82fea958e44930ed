"""A server as Setup leaves it: applicationHost.config of Exchange 2019, written from the tables."""

from __future__ import annotations

INSTALL = r"C:\Program Files\Microsoft\Exchange Server\V15"
FRONT, BACK = "Default Web Site", "Exchange Back End"
ACCESS = "system.webServer/security/access"
# Application: pool and folder below FrontEnd/HttpProxy or ClientAccess.
FRONT_APPS = {
    "/owa": ("OWA", "owa"),
    "/owa/Integrated": ("OWA", "owa"),
    "/owa/oma": ("OWA", "owa"),
    "/owa/Calendar": ("OWACalendar", "owa"),
    "/ecp": ("ECP", "ecp"),
    "/EWS": ("Services", "EWS"),
    "/API": ("RestFrontEnd", "Rest"),
    "/Autodiscover": ("Autodiscover", "Autodiscover"),
    "/Microsoft-Server-ActiveSync": ("Sync", "sync"),
    "/OAB": ("OAB", "OAB"),
    "/PowerShell": ("PowerShellFrontEnd", "PowerShell"),
    "/mapi": ("MapiFrontEnd", "mapi"),
    "/Rpc": ("RpcProxyFrontEnd", "rpc"),
}
BACK_APPS = {
    "/owa": ("OWA", "owa"),
    "/owa/Calendar": ("OWACalendar", "owa"),
    "/ecp": ("ECP", "ecp"),
    "/EWS": ("Services", r"exchweb\EWS"),
    "/EWS/bin": ("Services", r"exchweb\EWS\bin"),
    "/API": ("Rest", "rest"),
    "/Autodiscover": ("Autodiscover", "Autodiscover"),
    "/Microsoft-Server-ActiveSync": ("Sync", "sync"),
    "/OAB": ("OAB", "OAB"),
    "/PowerShell": ("PowerShell", "PowerShell-Proxy"),
    "/mapi/emsmdb": ("MapiMailbox", r"mapi\emsmdb"),
    "/mapi/nspi": ("MapiAddressBook", r"mapi\nspi"),
    "/Rpc": ("RpcProxy", None),
    "/RpcWithCert": ("RpcProxy", None),
    "/PushNotifications": ("PushNotifications", "PushNotifications"),
}
# A is anonymous, B basic, W windows; then sslFlags, None where a place has no element of its own.
PLACES = {
    f"{FRONT}": (None, "Ssl,Ssl128"),
    f"{FRONT}/owa": ("B", None),
    f"{FRONT}/owa/auth": ("A", None),
    f"{FRONT}/owa/Calendar": ("A", "None"),
    f"{FRONT}/owa/Integrated": ("W", "Ssl,Ssl128"),
    f"{FRONT}/owa/oma": ("B", "Ssl,Ssl128"),
    f"{FRONT}/ecp": ("AB", None),
    f"{FRONT}/EWS": ("AW", None),
    f"{FRONT}/API": ("AW", "Ssl,Ssl128"),
    f"{FRONT}/Autodiscover": ("ABW", None),
    f"{FRONT}/Microsoft-Server-ActiveSync": ("B", "Ssl,Ssl128"),
    f"{FRONT}/Microsoft-Server-ActiveSync/Proxy": ("W", None),
    f"{FRONT}/OAB": ("W", "Ssl,Ssl128"),
    f"{FRONT}/PowerShell": ("", "SslNegotiateCert"),
    f"{FRONT}/mapi": ("W", "Ssl,Ssl128"),
    f"{FRONT}/Rpc": ("BW", "None"),
    f"{BACK}": (None, "Ssl,Ssl128"),
    **{f"{BACK}/{name}": ("AW", None) for name in ("owa", "ecp", "Autodiscover", "EWS")},
    **{
        f"{BACK}/{name}": ("A", None)
        for name in (
            *("owa/auth", "owa/bin", "owa/smime", "owa/15.2.1118.7", "ecp/15.2.1118.7"),
            *("ecp/App_Themes", "Exchange", "Exchweb", "Public"),
        )
    },
    f"{BACK}/owa/Calendar": ("A", "None"),
    f"{BACK}/API": ("AW", "Ssl,Ssl128"),
    f"{BACK}/Microsoft-Server-ActiveSync": ("B", "Ssl,Ssl128"),
    f"{BACK}/OAB": ("W", "Ssl,Ssl128"),
    f"{BACK}/PowerShell": ("W", "Ssl,SslNegotiateCert,Ssl128"),
    f"{BACK}/mapi/emsmdb": ("W", "Ssl"),
    f"{BACK}/mapi/nspi": ("W", "Ssl"),
    f"{BACK}/PushNotifications": ("AW", "Ssl,Ssl128"),
    f"{BACK}/Rpc": ("W", "None"),
    f"{BACK}/RpcWithCert": ("W", "None"),
    f"{BACK}/EWS/bin": ("", None),
}
FRONT_BINDINGS = (
    "http *:80:", "https :443:", "http 127.0.0.1:80:", "https 127.0.0.1:443:", "net.tcp 808:*",
    "net.pipe *", "net.msmq localhost", "msmq.formatname localhost",
)  # fmt: skip
BACK_BINDINGS = ("http *:81:", "https *:444:", "net.pipe *")
COOKIE = '<filter name="Exchange OWA Cookie Authentication ISAPI Filter" path="owaauth.dll" />'
AIR = '<filter name="Exchange ActiveSync ISAPI Filter" path="AirFilter.dll" />'
CACHE = (
    '<staticContent><clientCache cacheControlMode="UseMaxAge" cacheControlMaxAge="30.00:00:00" />'
    "</staticContent>"
)
LZX = (
    '<staticContent><mimeMap fileExtension=".lzx" mimeType="application/octet-stream" />'
    "</staticContent>"
)
REDIRECT = (
    '<httpRedirect enabled="true" destination="/owa" childOnly="false"'
    ' httpResponseStatus="Found" />'
)
PASS = '<httpErrors existingResponse="PassThrough" />'
UPLOAD = (
    '<security><requestFiltering><requestLimits maxAllowedContentLength="2147483648" />'
    "</requestFiltering></security>"
)


def runtime(limit: int) -> str:
    return f'<serverRuntime uploadReadAheadSize="0" appConcurrentRequestLimit="{limit}" />'


OTHERS = {
    f"{FRONT}": f"<isapiFilters>{COOKIE}{AIR}</isapiFilters>",
    f"{BACK}": f"<isapiFilters>{COOKIE}</isapiFilters>",
    **{f"{site}/owa": CACHE for site in (FRONT, BACK)},
    **{f"{site}/Microsoft-Server-ActiveSync": CACHE for site in (FRONT, BACK)},
    **{f"{site}/OAB": LZX for site in (FRONT, BACK)},
    **{f"{site}/{name}": PASS for site in (FRONT, BACK) for name in ("EWS", "API")},
    **{f"{BACK}/{name}": REDIRECT for name in ("Exchange", "Exchweb", "Public")},
    f"{FRONT}/Rpc": UPLOAD + runtime(120000),
    f"{BACK}/Rpc": UPLOAD + runtime(65535),
    f"{BACK}/RpcWithCert": UPLOAD + runtime(65535),
}
QUEUES = {
    "OWACalendar": 10,
    **dict.fromkeys(
        ("MapiMailbox", "MapiAddressBook", "MapiFrontEnd", "RpcProxy", "RpcProxyFrontEnd", "Rest"),
        1000,
    ),
}


def config(install: str = INSTALL) -> str:
    """Write applicationHost.config as Setup of Exchange 2019 leaves it."""
    front = _application("/", "OWA", r"%SystemDrive%\inetpub\wwwroot") + "".join(
        _application(path, pool, rf"{install}\FrontEnd\HttpProxy\{folder}")
        for path, (pool, folder) in FRONT_APPS.items()
    )
    below = {
        "/": "",
        "/mapi": r"\mapi",
        "/Exchange": r"\owa",
        "/Exchweb": r"\owa",
        "/Public": r"\owa",
    }
    back = _root(below, install) + "".join(
        _application(
            path,
            pool,
            rf"{install}\ClientAccess\{folder}" if folder else r"%windir%\System32\RpcProxy",
        )
        for path, (pool, folder) in BACK_APPS.items()
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <system.applicationHost>
    <applicationPools>{_pools()}</applicationPools>
    <sites>
      {_site(FRONT, 1, front, FRONT_BINDINGS)}
      {_site(BACK, 2, back, BACK_BINDINGS)}
    </sites>
  </system.applicationHost>
  <system.webServer><serverRuntime appConcurrentRequestLimit="50000" /></system.webServer>
  {"".join(_location(place, *said) for place, said in PLACES.items())}
</configuration>
"""


def _pools() -> str:
    names = dict.fromkeys(pool for pool, _ in (*FRONT_APPS.values(), *BACK_APPS.values()))
    return "".join(
        f'<add name="MSExchange{name}AppPool" managedRuntimeVersion="v4.0"'
        + (f' queueLength="{QUEUES[name]}"' if name in QUEUES else "")
        + '><processModel identityType="LocalSystem" idleTimeout="00:00:00"'
        ' pingingEnabled="false" />'
        f'<recycling><periodicRestart time="{"14." if name in ("OWA", "ECP") else ""}00:00:00" />'
        "</recycling></add>"
        for name in names
    )


def _application(path: str, pool: str, folder: str) -> str:
    return (
        f'<application path="{path}" applicationPool="MSExchange{pool}AppPool">'
        f'<virtualDirectory path="/" physicalPath="{folder}" /></application>'
    )


def _root(below: dict[str, str], install: str) -> str:
    inside = "".join(
        f'<virtualDirectory path="{path}" physicalPath="{install}\\ClientAccess{folder}" />'
        for path, folder in below.items()
    )
    return f'<application path="/">{inside}</application>'


def _site(name: str, number: int, applications: str, bindings: tuple[str, ...]) -> str:
    bound = "".join(
        '<binding protocol="{}" bindingInformation="{}" />'.format(*one.split(" "))
        for one in bindings
    )
    return f'<site name="{name}" id="{number}">{applications}<bindings>{bound}</bindings></site>'


def _location(place: str, methods: str | None, ssl: str | None) -> str:
    security = f'<access sslFlags="{ssl}" />' if ssl is not None else ""
    if methods is not None:
        kernel = ' useKernelMode="false"' if place in (f"{FRONT}/mapi", f"{FRONT}/Rpc") else ""
        said = "".join(
            f'<{name}Authentication enabled="{str(name[0].upper() in methods).lower()}"'
            f"{kernel if name == 'windows' else ''} />"
            for name in ("anonymous", "basic", "windows")
        )
        security += f"<authentication>{said}</authentication>"
    return (
        f'<location path="{place}"><system.webServer><security>{security}</security>'
        f"{OTHERS.get(place, '')}</system.webServer></location>"
    )
