"""runbook.html in a real browser: it loads in silence, and prints on A4."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from test_browser import QUIET, inflated

from changelog_tracker.replay.plan import ByHand, Cmdlet, Goal, Plan, PlanStep
from changelog_tracker.report.replay.runbook import runbook_html

pytestmark = pytest.mark.browser

EVIL = '<img src="http://contoso-leak.example/x.png"><script>document.title = "taken"</script>'
OWA = "owa (Default Web Site)"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Write the runbook of a plan with hostile values in it."""
    step = PlanStep(
        "s001", "exchange", "set", "shell", "OwaVirtualDirectory", OWA, "DefaultDomain",
        Cmdlet("OwaVirtualDirectory", "Identity", rf"EX01\{OWA}"),
        (Goal("DefaultDomain", "text", EVIL, None),), undo=EVIL,
    )  # fmt: skip
    by_hand = ByHand("OabVirtualDirectory", EVIL, "ExternalUrl", "a script", "", "compromise", EVIL)
    plan = Plan(
        "EX01", "EX01", "2019", "15.2.1118.7", "C:\\Exchange\\", EVIL,
        datetime(2026, 9, 10, 15, 30, tzinfo=UTC), EVIL, assumed=True,
        steps=(step,), by_hand=(by_hand,),
    )  # fmt: skip
    file = tmp_path_factory.mktemp("runbook") / "runbook.html"
    file.write_text(runbook_html(plan, {"Fqdn": EVIL}), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Run a headless Chromium on a page; gives standard output and what it complains about."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on PATH to load the pages with")
    profile = tmp_path_factory.mktemp("profile")

    def load(page, *options):
        line = [chromium, *QUIET, f"--user-data-dir={profile}", "--enable-logging=stderr"]
        line += [*options, page.as_uri()]
        done = subprocess.run(line, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr.decode()[-500:]
        said = done.stderr.decode(errors="replace").splitlines()
        return done.stdout.decode(), [one for one in said if "CONSOLE" in one]

    return load


def test_the_runbook_loads_in_silence(page, browser):
    """No script runs, nothing is fetched, and the browser has nothing to complain about."""
    dom, complaints = browser(page, "--dump-dom")
    assert complaints == []
    assert "<title>Runbook: EX01</title>" in dom
    assert re.findall("<(script|img|link|iframe|object)", dom) == []


def test_a_complaint_would_be_seen(page, browser, tmp_path):
    """Were a value not escaped, the policy would stop it, and the browser would say so."""
    broken = tmp_path / "broken.html"
    broken.write_text(page.read_text("utf-8").replace("<main>", f"<main>{EVIL}"), encoding="utf-8")
    dom, complaints = browser(broken, "--dump-dom")
    assert "<title>Runbook: EX01</title>" in dom
    assert complaints != []


def test_the_runbook_prints_upright_and_black(page, browser, tmp_path):
    """Printed, it is A4 upright on several pages, without a colour, though the screen is dark."""
    file = tmp_path / "runbook.pdf"
    browser(page, f"--print-to-pdf={file}", "--blink-settings=preferredColorScheme=0")
    data = file.read_bytes()
    boxes = [box.split() for box in re.findall(rb"/MediaBox \[([\d. ]+)\]", data)]
    assert {(round(float(box[2])), round(float(box[3]))) for box in boxes} == {(595, 842)}
    assert len(boxes) > 3
    drawn = b"".join(map(inflated, re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)))
    colours = {
        tuple(map(float, rgb)) for rgb in re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) rg", drawn)
    }
    assert (0.0, 0.0, 0.0) in colours
    assert {colour for colour in colours if len(set(colour)) > 1} == set()
