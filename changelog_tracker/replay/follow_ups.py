"""What a plan's steps bring along: links that a removal breaks, and folders that no step makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.replay import objects
from changelog_tracker.replay.by_hand import HOW
from changelog_tracker.replay.plan import ByHand, Goal, PlanStep

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from changelog_tracker.replay.scene import Scene

OAB = "OabVirtualDirectory"
BOOK = "OfflineAddressBook"
LINKS = "VirtualDirectories"
NO_FOLDER = "the folder of a new virtual directory, its content and its rights are not kept"


def relinked(steps: Sequence[PlanStep], scene: Scene) -> Iterator[PlanStep]:
    """
    Give each offline address book its directory again, which Remove-OabVirtualDirectory takes.

    Source: New-OabVirtualDirectory.md and Remove-OabVirtualDirectory.md of office-docs-powershell
    name no other way; that the link is lost is experience (unconfirmed).
    """
    made = {
        step.resource.casefold(): step for step in steps if step.op == "new" and step.kind == OAB
    }
    noun = catalogue.nouns()[BOOK]
    for name in scene.wanted_names(BOOK) if made else ():
        wanted = (scene.wanted_of(BOOK, name) or {}).get(LINKS)
        members = wanted if isinstance(wanted, list) else []
        ours = [one for one in members if _resource(one, scene.server) in made]
        if not ours:
            continue
        left = [one for one in members if one not in ours]
        new = made[_resource(ours[0], scene.server)]
        yield PlanStep(
            id=f"{BOOK}/{name}/set/{LINKS}",
            group="create",
            op="set",
            owner="shell",
            kind=BOOK,
            resource=name,
            setting=LINKS,
            target=objects.cmdlet(noun, name, scene.server),
            goals=(Goal(LINKS, noun.fields[LINKS].kind, wanted, left),),
            needs=(new.id,),
            documented=new.documented,
            undo=f"{noun.write} with the values that were found",
            log=new.log,
        )


def folders(steps: Sequence[PlanStep], scene: Scene) -> Iterator[ByHand]:
    """Name the folders of new virtual directories that neither Windows nor Exchange brings."""
    for step in steps:
        if step.op != "add" or step.kind != "IisVirtualDirectory":
            continue
        path = next((goal.wanted for goal in step.goals if goal.name == "physicalPath"), None)
        if isinstance(path, str) and not path.casefold().startswith(scene.install_path.casefold()):
            yield ByHand(
                step.kind, step.resource, "physicalPath", NO_FOLDER, HOW["folder"], "file",
                path, None, step.log,
            )  # fmt: skip


def _resource(link: object, server: str) -> str:
    """Give the directory that a link names, with or without its server."""
    text = str(link).casefold()
    return text.removeprefix(f"{server.casefold()}\\")
