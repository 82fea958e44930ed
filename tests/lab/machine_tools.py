"""The small programs of the lab's Windows: whoami.exe and iisreset.exe."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

LAB = Path(os.environ.get("LAB_FOLDER", "."))
USER_SID = "S-1-5-21-1000-2000-3000-1105"
# Group, kind, SID, attributes; the label says whether the shell is elevated.
EVERYBODY = ("Everyone", "Well-known group", "S-1-1-0", "Mandatory group, Enabled by default")
ADMINISTRATORS = ("BUILTIN\\Administrators", "Alias", "S-1-5-32-544")
MANAGEMENT = (
    "CONTOSO\\Organization Management",
    "Group",
    "S-1-5-21-1000-2000-3000-1200",
    "Enabled group",
)
LABELS = {
    True: ("Mandatory Label\\High Mandatory Level", "Label", "S-1-16-12288", ""),
    False: ("Mandatory Label\\Medium Mandatory Level", "Label", "S-1-16-8192", ""),
}


def whoami(arguments: list[str]) -> str:
    asked = {one.casefold() for one in arguments}
    elevated = json.loads((LAB / "state.json").read_text("utf-8"))["elevated"]
    if "/user" in asked:
        rows = [("User Name", "SID"), ("contoso\\anna", USER_SID)]
    elif "/groups" in asked:
        how = "Enabled group, Group owner" if elevated else "Group used for deny only"
        groups = [EVERYBODY, (*ADMINISTRATORS, how), MANAGEMENT, LABELS[elevated]]
        rows = [("Group Name", "Type", "SID", "Attributes"), *groups]
    else:
        return "contoso\\anna"
    rows = rows[1:] if "/nh" in asked else rows
    if "csv" in asked:
        return "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows)
    return "\n".join("  ".join(cell.ljust(42) for cell in row).rstrip() for row in rows)


def iisreset(arguments: list[str]) -> str:
    with (LAB / "restarts.txt").open("a", encoding="utf-8") as file:
        file.write(f"iisreset\t{' '.join(arguments)}\n")
    return "Internet services successfully restarted"


if __name__ == "__main__":
    said = {"whoami": whoami, "iisreset": iisreset}[sys.argv[1]](sys.argv[2:])
    sys.stdout.write(said + "\n")
