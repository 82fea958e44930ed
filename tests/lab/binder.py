"""Writes the Exchange cmdlets of one version as PowerShell functions for the real binder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from factory import CMDLETS, parameters

if TYPE_CHECKING:
    from collections.abc import Collection

TYPES = {
    "SwitchParameter": "switch",
    "Boolean": "bool",
    "Int32": "int",
    "Uri": "uri",
    "EnhancedTimeSpan": "timespan",
    "ExDateTime": "datetime",
    "SecureString": "securestring",
    "PSCredential[]": "System.Management.Automation.PSCredential[]",
    "Byte[]": "byte[]",
    "String[]": "string[]",
}
# Bound as they come; the lab looks at each value itself.
LISTS = ("MultiValuedProperty", "AllowedServices", "X509Certificate2")
WRITES = ("Set", "New", "Remove", "Enable", "Disable", "Import", "Export")


def functions(version: str, hidden: Collection[tuple[str, str | None]] = ()) -> str:
    """
    Give every cmdlet of a version.

    Args:
        version: "2010" to "SE".
        hidden: Cmdlets with the parameter that the user's rights hide; None hides the cmdlet.
    """
    written, types, sets = [], [], []
    for cmdlet in CMDLETS:
        known = {
            name: one
            for name, one in parameters(cmdlet, version).items()
            if (cmdlet, name) not in hidden
        }
        if not known or (cmdlet, None) in hidden:
            continue
        written.append(function(cmdlet, known))
        types.append(table(cmdlet, {name: one["type"] for name, one in known.items()}))
        sets.append(
            table(cmdlet, {n: one["values"] for n, one in known.items() if "values" in one})
        )
    tables = ["$global:LabTypes = @{", *types, "}", "$global:LabSets = @{", *sets, "}"]
    return "\n".join([*tables, *written, ""])


def table(cmdlet: str, values: dict[str, Any]) -> str:
    pairs = "; ".join(f"{name} = {literal(value)}" for name, value in values.items())
    return f"    '{cmdlet}' = @{{ {pairs} }}"


def literal(value: Any) -> str:
    if isinstance(value, list):
        return "@(" + ", ".join(literal(one) for one in value) + ")"
    return "'" + str(value).replace("'", "''") + "'"


def function(cmdlet: str, known: dict[str, Any]) -> str:
    """Write one cmdlet as a function."""
    verb, noun = cmdlet.split("-")
    sets = {
        name: [one for one in members if one.rstrip("!") in known]
        for name, members in CMDLETS[cmdlet].get("sets", {}).items()
    }
    binding = []
    if verb in WRITES:
        binding.append("SupportsShouldProcess = $true")
        # As Exchange does: only what destroys asks by itself.
        binding.append(f"ConfirmImpact = '{'High' if verb in ('Remove', 'Disable') else 'Medium'}'")
    if sets:
        # Get-ExchangeCertificate -Server EX01 is a thumbprint's set without the thumbprint.
        wanted = "Thumbprint" if cmdlet == "Get-ExchangeCertificate" else "Identity"
        binding.append(
            f"DefaultParameterSetName = '{wanted if wanted in sets else next(iter(sets))}'"
        )
    own = [
        parameter(name, one, sets)
        for name, one in known.items()
        if not (verb in WRITES and name in ("WhatIf", "Confirm"))
    ]
    listed = ",\n        ".join(own)
    # Preference variables of the caller do not reach the cmdlets of an imported session.
    return f"""function global:{cmdlet} {{
    [CmdletBinding({", ".join(binding)})]
    param(
        {listed}
    )
    process {{
        $bound = $PSBoundParameters
        if (-not $bound.ContainsKey('WhatIf')) {{ $WhatIfPreference = $false }}
        if (-not $bound.ContainsKey('Confirm')) {{ $ConfirmPreference = 'High' }}
        if (-not $bound.ContainsKey('ErrorAction')) {{ $ErrorActionPreference = 'Continue' }}
        Invoke-LabCmdlet '{verb}' '{noun}' $bound $PSCmdlet
    }}
}}"""


def parameter(name: str, one: dict[str, Any], sets: dict[str, list[str]]) -> str:
    """Write one parameter: where it stands, what it takes."""
    common = []
    if "position" in one:
        common.append(f"Position = {one['position']}")
    if one.get("pipeline"):
        common.append("ValueFromPipelineByPropertyName = $true")
        if name == "Identity":
            common.append("ValueFromPipeline = $true")
    lines = []
    inside = [key for key, members in sets.items() if name in {m.rstrip("!") for m in members}]
    everywhere = len(inside) == len(sets)
    mandatory = [key for key in inside if f"{name}!" in sets[key]]
    if everywhere and len(mandatory) in (0, len(sets)):
        must = one.get("mandatory") or (sets and mandatory)
        lines.append([*common, *(["Mandatory = $true"] if must else [])])
    else:
        for key in inside:
            must = ["Mandatory = $true"] if key in mandatory else []
            lines.append([*common, f"ParameterSetName = '{key}'", *must])
    text = " ".join(f"[Parameter({', '.join(line)})]" for line in lines)
    if "values" in one and one["type"] not in LISTS:
        text += f" [ValidateSet({', '.join(map(literal, one['values']))})]"
    if one.get("aliases"):
        text += f" [Alias({', '.join(map(literal, one['aliases']))})]"
    return f"{text} [{kind(one['type'])}] ${name}"


def kind(name: str) -> str:
    if name in LISTS or (name.endswith("[]") and name not in TYPES):
        return "object"
    return TYPES.get(name, "string")
