"""What looks like something that is read, and is not read yet, is said and not taken."""

from __future__ import annotations

from program import run

METABASE = """<?xml version="1.0"?>
<configuration xmlns="urn:microsoft-catalog:XML_Metabase_V64_0">
<MBProperty><IIsWebVirtualDir Location="/LM/W3SVC/1/ROOT/owa" AuthFlags="AuthBasic"/></MBProperty>
</configuration>
"""


def test_a_metabase_is_no_configuration_file(tmp_path):
    """The metabase of IIS 6 has the same root, and would be read wrongly."""
    file = tmp_path / "MetaBase.xml"
    file.write_text(METABASE)
    got = run("--store", str(tmp_path / "x.db"), "import", str(file), "--server", "EX01")
    said = f"error: {file.name}: is an IIS 6 metabase, which is not read yet\n"
    assert (got.returncode, got.stderr.replace(str(tmp_path) + "/", "")) == (1, said)
