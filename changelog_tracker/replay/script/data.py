"""A plan as JSON data: `plan.json`, for other programs, and what its hash is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from changelog_tracker.replay.plan import Cmdlet

if TYPE_CHECKING:
    from changelog_tracker.replay.plan import ByHand, Plan, PlanStep, Target


def plan_data(plan: Plan) -> dict[str, Any]:
    """Give a plan as objects, lists and texts."""
    return {
        "format": 1,
        "server": plan.server,
        "target": plan.target,
        "version": plan.version,
        "build": plan.build,
        "install_path": plan.install_path,
        "wanted": plan.wanted,
        "wanted_at": plan.wanted_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "found": plan.found,
        "assumed": plan.assumed,
        "unread": list(plan.unread),
        "modes": dict(plan.modes),
        "steps": [_step(step) for step in plan.steps],
        "by_hand": [_by_hand(one) for one in plan.by_hand],
    }


def _step(step: PlanStep) -> dict[str, Any]:
    return {
        "id": step.id,
        "group": step.group,
        "op": step.op,
        "owner": step.owner,
        "kind": step.kind,
        "resource": step.resource,
        "setting": step.setting,
        "target": _target(step.target),
        "goals": [
            {"name": g.name, "kind": g.kind, "wanted": g.wanted, "expected": g.expected}
            for g in step.goals
        ],
        "needs": list(step.needs),
        "recycles": list(step.recycles),
        "recycles_by_itself": step.by_itself,
        "weaker": step.weaker,
        "documented": step.documented,
        "undo": step.undo,
        "log": list(step.log),
    }


def _target(target: Target) -> dict[str, Any]:
    if isinstance(target, Cmdlet):
        return {"noun": target.noun, target.identity_parameter.lower(): target.identity}
    return {
        "file": target.file,
        "location": target.location,
        "section": target.section,
        "path": [{"tag": hop.tag, "keys": dict(hop.keys)} for hop in target.hops],
    }


def _by_hand(one: ByHand) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "resource": one.resource,
        "setting": one.setting,
        "reason": one.reason,
        "why": one.why,
        "how": one.how,
        "wanted": one.wanted,
        "found": one.found,
        "log": list(one.log),
    }
