"""The files of the sample server as Setup leaves them: applicationHost.config and web.config."""

from __future__ import annotations

from factory import BACK, DIRECTORIES, FRONT, OLD_VERSION, Machine

AUTHENTICATIONS = ("anonymous", "basic", "digest", "windows")
# Applications besides those of virtual directories: path, pool, folder.
MORE_FRONT = (
    ("/owa/Calendar", "OWACalendar", "owa"),
    ("/owa/Integrated", "OWA", "owa"),
    ("/owa/oma", "OWA", "owa"),
    ("/API", "RestFrontEnd", "Rest"),
    ("/Rpc", "RpcProxyFrontEnd", "rpc"),
)
BACK_APPS = (
    ("/owa", "OWA", "owa"),
    ("/ecp", "ECP", "ecp"),
    ("/EWS", "Services", r"exchweb\EWS"),
    ("/API", "Rest", "rest"),
    ("/Autodiscover", "Autodiscover", "Autodiscover"),
    ("/Microsoft-Server-ActiveSync", "Sync", "sync"),
    ("/OAB", "OAB", "OAB"),
    ("/PowerShell", "PowerShell", "PowerShell-Proxy"),
    ("/mapi/emsmdb", "MapiMailbox", r"mapi\emsmdb"),
    ("/mapi/nspi", "MapiAddressBook", r"mapi\nspi"),
    ("/Rpc", "RpcProxy", ""),
)
# A is anonymous, B basic, D digest, W windows; then sslFlags, None where nothing stands.
PLACES: dict[str, tuple[str | None, str | None]] = {
    FRONT: (None, "Ssl, Ssl128"),
    f"{FRONT}/owa": ("B", None),
    f"{FRONT}/owa/auth": ("A", None),
    f"{FRONT}/owa/Calendar": ("A", "None"),
    f"{FRONT}/owa/Integrated": ("W", "Ssl, Ssl128"),
    f"{FRONT}/owa/oma": ("B", "Ssl, Ssl128"),
    f"{FRONT}/ecp": ("AB", None),
    f"{FRONT}/EWS": ("AW", None),
    f"{FRONT}/API": ("AW", "Ssl, Ssl128"),
    f"{FRONT}/Autodiscover": ("ABW", None),
    f"{FRONT}/Microsoft-Server-ActiveSync": ("B", "Ssl, Ssl128"),
    f"{FRONT}/OAB": ("W", "Ssl, Ssl128"),
    f"{FRONT}/PowerShell": ("", "SslNegotiateCert"),
    f"{FRONT}/mapi": ("W", "Ssl, Ssl128"),
    f"{FRONT}/Rpc": ("BW", "None"),
    BACK: (None, "Ssl, Ssl128"),
    **{f"{BACK}/{name}": ("AW", None) for name in ("owa", "ecp", "Autodiscover", "EWS")},
    f"{BACK}/API": ("AW", "Ssl, Ssl128"),
    f"{BACK}/Microsoft-Server-ActiveSync": ("B", "Ssl, Ssl128"),
    f"{BACK}/OAB": ("W", "Ssl, Ssl128"),
    f"{BACK}/PowerShell": ("W", "Ssl, SslNegotiateCert, Ssl128"),
    f"{BACK}/mapi/emsmdb": ("W", "Ssl"),
    f"{BACK}/mapi/nspi": ("W", "Ssl"),
    f"{BACK}/Rpc": ("W", "None"),
}
FRONT_BINDINGS = (
    "http *:80:", "https :443:", "http 127.0.0.1:80:", "https 127.0.0.1:443:", "net.tcp 808:*",
    "net.pipe *",
)  # fmt: skip
BACK_BINDINGS = ("http *:81:", "https *:444:", "net.pipe *")
COMPRESSED = ("owa", "ecp", "EWS", "Microsoft-Server-ActiveSync")
FILTERS = (
    '<isapiFilters><filter name="Exchange OWA Cookie Authentication ISAPI Filter"'
    ' path="owaauth.dll" /></isapiFilters>'
)
LZX = (
    '<staticContent><mimeMap fileExtension=".lzx" mimeType="application/octet-stream" />'
    "</staticContent>"
)
GLOBAL_MODULES = ("HttpCacheModule", "StaticCompressionModule", "RequestFilteringModule")


def folder_below(machine: Machine, application: str) -> str:
    """Give the folder that serves an application of the Default Web Site."""
    for name, _, folder, old in DIRECTORIES.values():
        if name == application:
            if machine.version == OLD_VERSION:
                return rf"{machine.install}ClientAccess\{old}"
            return rf"{machine.install}FrontEnd\HttpProxy\{folder}"
    return ""


def application_host(machine: Machine) -> str:
    """Write applicationHost.config."""
    old = machine.version == OLD_VERSION
    front = [(f"/{name}", pool, folder_below(machine, name)) for name, pool, *_ in _own(machine)]
    more = MORE_FRONT[:1] if old else MORE_FRONT
    proxied = rf"{machine.install}FrontEnd\HttpProxy"
    front += [
        (p, pool, rf"{machine.install}ClientAccess\{f}" if old else rf"{proxied}\{f}")
        for p, pool, f in more
    ]
    back = [
        (p, pool, rf"{machine.install}ClientAccess\{f}" if f else RPC) for p, pool, f in BACK_APPS
    ]
    front.insert(0, ("/", "OWA", r"%SystemDrive%\inetpub\wwwroot"))
    sites = [_site(FRONT, 1, front, FRONT_BINDINGS)]
    if not old:
        root = ("/", "OWA", rf"{machine.install}ClientAccess")
        sites.append(_site(BACK, 2, [root, *back], BACK_BINDINGS))
    pools = dict.fromkeys(pool for _, pool, _ in [*front, *([] if old else back)])
    known = {p for p in PLACES if not old or p.startswith(FRONT)}
    served = {FRONT, f"{FRONT}/owa/auth"} | {f"{FRONT}{p.rstrip('/')}" for p, _, _ in front}
    served |= {BACK} | {f"{BACK}{p.rstrip('/')}" for p, _, _ in back}
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            "<configuration>",
            "  <system.applicationHost>",
            "    <applicationPools>", *(_pool(name) for name in pools),
            "    </applicationPools>",
            "    <sites>", *sites, "      <siteDefaults>",
            r'        <logFile logFormat="W3C" directory="%SystemDrive%\inetpub\logs\LogFiles" />',
            "      </siteDefaults>", "    </sites>",
            "  </system.applicationHost>",
            "  <system.webServer>",
            "    <globalModules>", *map(_module, (*GLOBAL_MODULES, "RewriteModule")),
            "    </globalModules>",
            '    <serverRuntime appConcurrentRequestLimit="50000" />',
            "  </system.webServer>",
            *(_location(place, *PLACES[place]) for place in PLACES if place in known & served),
            "</configuration>", "",
        ]
    )  # fmt: skip


RPC = r"%windir%\System32\RpcProxy"


def _own(machine: Machine) -> list[tuple[str, ...]]:
    old = machine.version == OLD_VERSION
    return [one for noun, one in DIRECTORIES.items() if not (old and noun.startswith("Mapi"))]


def _module(name: str) -> str:
    return f'      <add name="{name}" image="%windir%\\System32\\inetsrv\\{name.lower()}.dll" />'


def _pool(name: str) -> str:
    time = "14.00:00:00" if name in ("OWA", "ECP") else "00:00:00"
    said = 'autoStart="true" managedRuntimeVersion="v4.0"'
    return f"""      <add name="MSExchange{name}AppPool" {said}>
        <processModel identityType="LocalSystem" idleTimeout="00:00:00" pingingEnabled="false" />
        <recycling>
          <periodicRestart time="{time}" />
        </recycling>
      </add>"""


def _site(
    name: str, number: int, applications: list[tuple[str, str, str]], bindings: tuple[str, ...]
) -> str:
    inside = [
        f'        <application path="{path}" applicationPool="MSExchange{pool}AppPool">\n'
        f'          <virtualDirectory path="/" physicalPath="{folder}" />\n'
        "        </application>"
        for path, pool, folder in applications
    ]
    bound = [
        '          <binding protocol="{}" bindingInformation="{}" />'.format(*one.split(" "))
        for one in bindings
    ]
    return "\n".join(
        [
            f'      <site name="{name}" id="{number}" serverAutoStart="true">', *inside,
            "        <bindings>", *bound, "        </bindings>", "      </site>",
        ]
    )  # fmt: skip


def _location(place: str, methods: str | None, ssl: str | None) -> str:
    security = [f'        <access sslFlags="{ssl}" />'] if ssl is not None else []
    if methods is not None:
        security += ["        <authentication>"]
        for name in AUTHENTICATIONS:
            enabled = str(name[0].upper() in methods).lower()
            security.append(f"          {_authentication(place, name, enabled)}")
        security.append("        </authentication>")
    site, _, application = place.partition("/")
    others = []
    if not application:
        others.append(f"      {FILTERS}")
    if site == FRONT and application in COMPRESSED:
        dynamic = str(application == COMPRESSED[-1]).lower()
        flags = f'doStaticCompression="true" doDynamicCompression="{dynamic}"'
        others.append(f"      <urlCompression {flags} />")
    if application == "OAB":
        others.append(f"      {LZX}")
    inside = ["      <security>", *security, "      </security>", *others]
    lines = ["    <system.webServer>", *inside, "    </system.webServer>"]
    return "\n".join([f'  <location path="{place}">', *lines, "  </location>"])


def _authentication(place: str, name: str, enabled: str) -> str:
    if name != "windows":
        return f'<{name}Authentication enabled="{enabled}" />'
    kernel = ' useKernelMode="false"' if place in (f"{FRONT}/mapi", f"{FRONT}/Rpc") else ""
    inside = '<extendedProtection tokenChecking="None" />'
    return f'<windowsAuthentication enabled="{enabled}"{kernel}>{inside}</windowsAuthentication>'


def files(machine: Machine) -> dict[str, str]:
    """Give every other configuration file by its path below C:."""
    root = machine.install.removeprefix("C:\\").replace("\\", "/")
    back, front = f"{root}ClientAccess", f"{root}FrontEnd/HttpProxy"
    made = {
        f"{back}/owa/web.config": _web(
            35_000_000, 35_000, {"LogonSettings": "Default", "OwaVersion": "1"}
        ),
        f"{back}/ecp/web.config": _web(None, None, {"ShowDiagnostics": "false"}),
        f"{back}/sync/web.config": _web(None, 10_240, {"MaxDocumentDataSize": "10240000"}),
        f"{back}/exchweb/EWS/web.config": _web(
            67_108_864, None, {"maximumQueryIntervalDays": "62"}, EWS
        ),
        f"{back}/Autodiscover/web.config": _web(None, None, {"EnableLogging": "false"}),
        f"{back}/PopImap/Microsoft.Exchange.Pop3.exe.config": _web(None, None, {"LogPath": "Pop3"}),
    }
    if machine.version != OLD_VERSION:
        made |= {
            f"{front}/owa/web.config": _web(35_000_000, 35_000, {"HttpProxy.ProtocolType": "Owa"}),
            f"{front}/ecp/web.config": _web(None, None, {"HttpProxy.ProtocolType": "Ecp"}),
            f"{front}/EWS/web.config": _web(67_108_864, None, {"HttpProxy.ProtocolType": "Ews"}),
            f"{front}/sync/web.config": _web(None, 10_240, {"HttpProxy.ProtocolType": "Eas"}),
        }
    made["Windows/System32/inetsrv/config/redirection.config"] = (
        '<?xml version="1.0"?>\n<configuration>\n  <configurationRedirection />\n</configuration>\n'
    )
    return made


BINDINGS = [
    f"EWS{way}{kind}Binding"
    for kind in ("Http", "Https")
    for way in ("Anonymous", "Basic", "Negotiate", "WSSecurity", "SymmetricKey", "X509Cert")
]
EWS = "\n".join(
    [
        "  <system.serviceModel>",
        "    <bindings>",
        "      <customBinding>",
        *(
            f'        <binding name="{name}">'
            f"<{'https' if 'Https' in name else 'http'}Transport"
            ' maxReceivedMessageSize="67108864" /></binding>'
            for name in BINDINGS
        ),
        "      </customBinding>",
        "      <webHttpBinding>",
        *(
            f'        <binding name="{name}HttpBinding" maxReceivedMessageSize="{size}" />'
            for name, size in (("EWSStreaming", 67108864), ("UM", 1048576))
        ),
        "      </webHttpBinding>",
        "    </bindings>",
        "  </system.serviceModel>",
    ]
)


def _web(length: int | None, request_kb: int | None, keys: dict[str, str], more: str = "") -> str:
    """Write a web.config; Exchange writes them with a comment and CRLF."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<configuration>", "  <appSettings>"]
    lines.append("    <!-- Settings of this application -->")
    lines += [f'    <add key="{key}" value="{value}" />' for key, value in keys.items()]
    lines.append("  </appSettings>")
    if request_kb is not None:
        lines += ["  <system.web>", f'    <httpRuntime maxRequestLength="{request_kb}" />']
        lines.append("  </system.web>")
    if more:
        lines.append(more)
    if length is not None:
        limits = f'<requestLimits maxAllowedContentLength="{length}" />'
        lines += ["  <system.webServer>", "    <security>"]
        lines += ["      <requestFiltering>", f"        {limits}", "      </requestFiltering>"]
        lines += ["    </security>", "  </system.webServer>"]
    return "\n".join([*lines, "</configuration>", ""]).replace("\n", "\r\n")
