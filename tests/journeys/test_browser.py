"""The HTML form in a real browser: dark, light and on paper, and nothing leaves the machine."""

from __future__ import annotations

import re
import shutil
import socket
import struct
import subprocess
import threading
import zlib

import pytest
from bundles import OWA, Program, vdir
from program import MADE

pytestmark = pytest.mark.browser

LEAK = "contoso-leak.example"
SHOWN = f'<img src="http://{LEAK}/x.png"><script>document.title = "taken"</script>'
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Run a headless Chromium on a page, with a profile of its own; gives standard output."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on PATH to load the pages with")
    profile = tmp_path_factory.mktemp("profile")

    def load(page, *options):
        line = [chromium, *QUIET, f"--user-data-dir={profile}", *options, page.as_uri()]
        done = subprocess.run(line, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr.decode()[-500:]
        return done.stdout.decode()

    return load


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Make a change log of a hostile value."""
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", MADE)
        program = Program(folder)
        program.take("2026-11-20T09:00:00Z", {OWA: vdir("Owa")})
        program.take("2026-11-21T09:00:00Z", {OWA: vdir("Owa", ExternalUrl=SHOWN)})
        assert program.run("log", "-o", folder / "log.html").code == 0
    return folder / "log.html"


@pytest.fixture
def asked():
    """Listen as a proxy; gives its address and the first line of each request that comes."""
    lines: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen():
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                with caller:
                    caller.settimeout(5)
                    lines.append(caller.recv(1000).decode("latin-1").partition("\r\n")[0])

        threading.Thread(target=listen, daemon=True).start()
        yield f"--proxy-server=http://127.0.0.1:{server.getsockname()[1]}", lines
        server.shutdown(socket.SHUT_RDWR)


def test_a_hostile_value_is_shown_and_does_nothing(page, browser, asked):
    """The markup in a value stands there as text; no script runs and no picture is fetched."""
    proxy, lines = asked
    dom = browser(page, "--dump-dom", proxy)
    assert "<title>Change log: EX01</title>" in dom
    assert f'&lt;img src="http://{LEAK}/x.png"&gt;' in dom.replace("&quot;", '"').replace(
        '\\"', '"'
    )
    assert re.findall("<(script|img|link|iframe|object)", dom) == []
    assert [line for line in lines if LEAK in line] == []


def test_the_policy_of_a_page_holds_where_markup_would_get_in(page, browser, asked, tmp_path):
    """Were a value not escaped, the policy would still let nothing out; without it, it gets out."""
    proxy, lines = asked
    source = page.read_text().replace("<main>", f"<main>{SHOWN}")
    broken = tmp_path / "broken.html"
    broken.write_text(source)
    dom = browser(broken, "--dump-dom", proxy)
    assert "<title>Change log: EX01</title>" in dom
    assert [line for line in lines if LEAK in line] == []
    broken.write_text(re.sub("<meta http-equiv[^>]*>", "", source))
    assert "<title>taken</title>" in browser(broken, "--dump-dom", proxy)
    assert [line for line in lines if LEAK in line] != []


@pytest.mark.parametrize(("scheme", "dark"), [("0", True), ("1", False)])
def test_the_page_follows_the_reader_into_the_dark(scheme, dark, page, browser, tmp_path):
    """Paper is dark where the reader wants it dark, ink is light, and the other way round."""
    picture = tmp_path / "page.png"
    browser(page, f"--screenshot={picture}", f"--blink-settings=preferredColorScheme={scheme}")
    levels = brightness(picture.read_bytes())
    paper = levels[0]
    assert (paper < 60) == dark
    assert (max(levels) > 180, min(levels) < 60) == (True, True)


def test_paper_is_landscape_and_white(page, browser, tmp_path):
    """Printed, the page is A4 lying down and black on white, though the screen is dark."""
    file = tmp_path / "page.pdf"
    browser(page, f"--print-to-pdf={file}", "--blink-settings=preferredColorScheme=0")
    data = file.read_bytes()
    boxes = [box.split() for box in re.findall(rb"/MediaBox \[([\d. ]+)\]", data)]
    assert {(round(float(box[2])), round(float(box[3]))) for box in boxes} == {(842, 595)}
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
    drawn = b"".join(map(inflated, streams))
    found = re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) rg", drawn)
    colours = {tuple(map(float, rgb)) for rgb in found}
    assert (0.0, 0.0, 0.0) in colours
    assert {colour for colour in colours if len(set(colour)) > 1} == set()


def inflated(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error:
        return b""


def brightness(png: bytes) -> list[int]:
    """Give how bright each pixel of a PNG is, 0 to 255, row by row; 8 bits a channel."""
    place, packed = 8, b""
    width = channels = 0
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        chunk = png[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, _, depth, colour = struct.unpack(">IIBB", chunk[:10])
            channels = {2: 3, 6: 4}[colour]
            assert depth == 8
        packed += chunk if kind == b"IDAT" else b""
        place += 12 + length
    rows, before = [], bytearray(width * channels)
    data, size = zlib.decompress(packed), width * channels + 1
    for start in range(0, len(data), size):
        before = unfiltered(data[start], data[start + 1 : start + size], before, channels)
        rows += [max(before[x : x + 3]) for x in range(0, len(before), channels)]
    return rows


def unfiltered(kind: int, row: bytes, above: bytearray, step: int) -> bytearray:
    """Undo a PNG filter of one row."""
    done = bytearray(len(row))
    for x, byte in enumerate(row):
        left = done[x - step] if x >= step else 0
        corner = above[x - step] if x >= step else 0
        guess = (0, left, above[x], (left + above[x]) // 2, paeth(left, above[x], corner))[kind]
        done[x] = (byte + guess) & 0xFF
    return done


def paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda one: abs(guess - one))
