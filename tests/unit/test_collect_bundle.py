"""Bundles: a folder or zip that is held against its own bundle.json."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from changelog_tracker.collect.bundle import gather
from changelog_tracker.collect.gathered import UnreadFile
from changelog_tracker.collect.limits import DEFAULT_LIMITS
from changelog_tracker.errors import InputError

OWA = "exchange/OwaVirtualDirectory.clixml"
IIS = "files/C/Windows/System32/inetsrv/config/applicationHost.config"
AUDIT = "evidence/admin-audit-log.clixml"
FILES = {OWA: b"<Objs/>", IIS: b"<configuration/>", AUDIT: b"<Objs> </Objs>"}
AGAIN = "it was changed or damaged after it was made; make the bundle again on the server"


def reading(file: str, status: str = "read", **other: object) -> dict[str, object]:
    digest = hashlib.sha256(FILES.get(file, b"")).hexdigest().upper()
    kind = Path(file).stem if file.startswith("exchange/") else "ConfigFile"
    line = {"kind": kind, "file": file, "mode": "full", "status": status, "sha256": digest}
    return line | other


def manifest(*readings: dict[str, object], **other: object) -> bytes:
    value = {
        "format": 1,
        "server": "EX01",
        "taken_at": "2026-11-22T10:00:00Z",
        "readings": list(readings) or [reading(OWA), reading(IIS)],
        "evidence": [{"source": "admin-audit-log", "file": AUDIT, "records": 1}],
    }
    return json.dumps(value | other).encode()


def bundle(root: Path, listed: bytes, files: dict[str, bytes] = FILES) -> Path:
    for path, data in ({"bundle.json": listed} | files).items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return root


def zipped(file: Path, folder: Path, top: str = "") -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, top + path.relative_to(folder).as_posix())
    return file


def refused(path: Path, limits=DEFAULT_LIMITS) -> InputError:
    with pytest.raises(InputError) as caught:
        gather(path, limits)
    assert caught.value.place == str(path)
    assert str(caught.value).isprintable()
    assert caught.value.hint
    return caught.value


def test_a_bundle_is_the_same_as_folder_and_zip(tmp_path):
    """Packing changes nothing, nor does the folder that Windows puts around what it zips."""
    folder = bundle(tmp_path / "EX01", manifest())
    gathered = gather(folder)
    assert [file.path for file in gathered.files] == ["bundle.json", AUDIT, OWA, IIS]
    assert gathered.manifest is not None
    assert gathered.manifest.server == "EX01"
    assert [line.file for line in gathered.manifest.readings] == [OWA, IIS]
    flat = zipped(tmp_path / "flat.zip", folder)
    topped = zipped(tmp_path / "topped.zip", folder, "EX01/")
    assert gather(flat) == replace(gathered, place=str(flat))
    assert gather(topped) == replace(gathered, place=str(topped))


def test_the_folder_of_a_bundle_may_be_named_by_the_one_above(tmp_path):
    """A folder that holds nothing but a bundle's folder is taken as that bundle."""
    folder = bundle(tmp_path / "above" / "EX01", manifest())
    above = folder.parent
    assert gather(above) == replace(gather(folder), place=str(above))


def test_a_top_folder_without_bundle_json_stays(tmp_path):
    """Only a bundle is taken out of its folder; a backup's paths stay as they are."""
    backup = bundle(tmp_path, b"", {IIS: b""})
    (backup / "bundle.json").unlink()
    assert [file.path for file in gather(backup).files] == [IIS]


def test_bundles_beside_other_things_are_refused(tmp_path):
    """Read as loose files they would lose their server, time and hashes."""
    bundle(tmp_path / "EX01", manifest())
    bundle(tmp_path / "EX02", manifest(server="EX02"))
    error = refused(tmp_path)
    assert error.what == "EX01: a bundle beside other files, expected one bundle alone"
    assert error.hint == "import each bundle by its own path"


def test_the_list_names_files_as_they_were_found(tmp_path):
    """Backslashes and another case in bundle.json still mean the same Windows file."""
    line = reading(OWA) | {"file": OWA.upper().replace("/", "\\")}
    gathered = gather(bundle(tmp_path, manifest(line, reading(IIS))))
    assert gathered.manifest is not None
    assert gathered.manifest.readings[0].file == OWA


def test_another_hash_is_refused(tmp_path):
    """A file was changed after the bundle was made."""
    error = refused(bundle(tmp_path, manifest(), FILES | {OWA: b"<Objs></Objs>"}))
    assert error.what == f"{OWA}: its SHA-256 is not the one bundle.json gives"
    assert error.hint == AGAIN


def test_a_missing_file_is_refused(tmp_path):
    """A file that was read has to be there."""
    error = refused(bundle(tmp_path, manifest(), {OWA: FILES[OWA], AUDIT: b""}))
    assert error.what == f"{IIS}: bundle.json lists it, but it is not there"


@pytest.mark.parametrize("path", ["exchange/Pop.clixml", "files/C/x", "Files/D/x", "evidence/x"])
def test_a_file_that_is_not_listed_is_refused(tmp_path, path):
    """A list that does not cover what is there cannot be trusted."""
    error = refused(bundle(tmp_path, manifest(), FILES | {path: b""}))
    assert error.what == f"{path}: bundle.json does not list it"
    assert error.hint == "take the file out, or make the bundle again on the server"


def test_other_files_beside_the_list_are_kept(tmp_path):
    """A transcript beside bundle.json is no reading."""
    gathered = gather(bundle(tmp_path, manifest(), FILES | {"collect.log": b"done"}))
    assert "collect.log" in [file.path for file in gathered.files]


def test_an_absent_file_that_is_there_is_refused(tmp_path):
    """`absent` is recorded as a removal, so it has to be true."""
    error = refused(bundle(tmp_path, manifest(reading(OWA), reading(IIS, "absent"))))
    assert error.what == f"{IIS}: it is there, but bundle.json says that it is absent"


def test_an_absent_file_stays_in_the_list(tmp_path):
    """An answer that there is none is an answer."""
    gone = reading("files/C/inetpub/wwwroot/web.config", "absent", sha256=None)
    gathered = gather(bundle(tmp_path, manifest(reading(OWA), reading(IIS), gone)))
    assert gathered.manifest is not None
    assert gathered.manifest.readings[2].status == "absent"
    assert gathered.unread == ()


def test_half_a_file_that_the_list_calls_unread_is_unread(tmp_path):
    """What the collector could not finish is not taken for an answer."""
    half = reading(OWA, "unread", reason="timed out", sha256=None)
    gathered = gather(bundle(tmp_path, manifest(half, reading(IIS))))
    assert [file.path for file in gathered.files] == ["bundle.json", AUDIT, IIS]
    assert gathered.unread == (UnreadFile(OWA, "timed out"),)


def test_a_listed_file_that_cannot_be_read_here_is_unread(tmp_path):
    """One bad file inside a bundle: its kind is unread, the rest is kept."""
    listed = manifest()
    large = FILES | {OWA: b" " * 2000}
    limits = replace(DEFAULT_LIMITS, file_bytes=1000)
    gathered = gather(bundle(tmp_path, listed, large), limits)
    assert gathered.unread == (UnreadFile(OWA, "larger than 1000 bytes"),)
    assert [file.path for file in gathered.files] == ["bundle.json", AUDIT, IIS]


def test_a_list_that_cannot_be_read_is_refused(tmp_path):
    """Without its list a bundle is not taken for loose files."""
    limits = replace(DEFAULT_LIMITS, file_bytes=100)
    what = "bundle.json: cannot be read"
    with pytest.raises(InputError) as caught:
        gather(bundle(tmp_path, manifest()), limits)
    assert caught.value.what == what


def test_evidence_may_be_a_folder(tmp_path):
    """The IIS history is many files under one name."""
    evidence = [{"source": "iis-history", "file": "evidence/history/", "records": 2}]
    files = {"evidence/history/1/a.config": b"", "evidence/history/2/a.config": b""}
    listed = manifest(reading(OWA), reading(IIS), evidence=evidence)
    gathered = gather(bundle(tmp_path, listed, {OWA: FILES[OWA], IIS: FILES[IIS]} | files))
    assert set(files) <= {file.path for file in gathered.files}


def test_evidence_that_was_lost_is_refused(tmp_path):
    """A source that gave records has to be there; one without records need not."""
    files = {OWA: FILES[OWA], IIS: FILES[IIS]}
    error = refused(bundle(tmp_path, manifest(), files))
    assert error.what == f"{AUDIT}: bundle.json lists it, but it is not there"
    none = [{"source": "admin-audit-log", "file": AUDIT, "enabled": False, "records": 0}]
    listed = manifest(reading(OWA), reading(IIS), evidence=none)
    assert len(gather(bundle(tmp_path, listed, files)).files) == 3
