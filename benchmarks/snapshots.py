"""
What a snapshot costs, against the floor and against git.

The peer `git` is `git add` and `git commit` of the same tree into an empty repository: what it
takes to have the tree recorded. A commit of one edit into a repository that has the rest already
is printed beside it, for who wants to compare with that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measure import Result, at_most, faster, in_turns

if TYPE_CHECKING:
    from benchmarks.tree import Tree

from benchmarks.tree import APPLICATION_HOST, SHARED

_RUNS = 15
_SSL = ('<access sslFlags="Ssl, Ssl128" />', '<access sslFlags="Ssl" />')
_VERSION = ('<codeBase version="15.0.0.0"', '<codeBase version="15.0.0.1"')


def measure(tree: Tree) -> list[Result]:
    """Give the five ratios of snapshots."""
    results = [
        at_most(
            "unchanged_vs_floor",
            1.3,
            in_turns(tree.snapshot, tree.floor, _RUNS),
            "unchanged snapshot to the floor",
        ),
        faster(
            "unchanged_vs_git", 6, _against_git(tree, tree.snapshot), "unchanged snapshot to git"
        ),
    ]
    for name, target, path, edit in (
        ("edit_applicationhost_vs_git", 4.0, APPLICATION_HOST, _SSL),
        ("edit_sharedwebconfig_vs_git", 1.5, SHARED, _VERSION),
    ):
        times = _against_git(tree, tree.snapshot, lambda: tree.edit(path, *edit))  # noqa: B023
        one_edit = _git_of_an_edit(tree, path, edit)
        words = f"one edit to git (git into a repository that has the rest: {one_edit:.1f} ms)"
        results.append(faster(name, target, times, words))
    results.append(_first(tree))
    return results


def _against_git(tree: Tree, ours, before=lambda: None) -> tuple[float, float]:
    best = [float("inf"), float("inf")]
    for _ in range(_RUNS):
        before()
        tree.git_init()
        for n, time in enumerate(in_turns(ours, tree.git_commit, 1)):
            best[n] = min(best[n], time)
    return best[0], best[1]


def _git_of_an_edit(tree: Tree, path: str, edit: tuple[str, str]) -> float:
    tree.git_init()
    tree.git_commit()
    best = float("inf")
    for _ in range(_RUNS):
        tree.edit(path, *edit)
        best = min(best, in_turns(tree.git_commit, lambda: None, 1)[0])
    return best


def _first(tree: Tree) -> Result:
    best = [float("inf"), float("inf")]
    for _ in range(7):
        store = tree.new_store()
        tree.git_init()
        times = in_turns(lambda: tree.snapshot(store), tree.git_commit, 1)  # noqa: B023
        best = [min(old, new) for old, new in zip(best, times, strict=True)]
    return at_most("first_vs_git", 2.5, (best[0], best[1]), "first snapshot to git")
