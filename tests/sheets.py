"""Reads a workbook back with nothing but zipfile and XML: what stands in its cells, and how."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def parts(workbook: bytes) -> dict[str, str]:
    """Give every file of a workbook as text."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        return {name: archive.read(name).decode("utf-8") for name in archive.namelist()}


def sheets(workbook: bytes) -> dict[str, list[list[object]]]:
    """Give the cells of every sheet: text, numbers, and datetimes where the format shows one."""
    files = parts(workbook)
    formats = _formats(files["xl/styles.xml"])
    names = [one.get("name", "") for one in _root(files["xl/workbook.xml"]).iter(f"{_MAIN}sheet")]
    return {
        name: _rows(_root(files[f"xl/worksheets/sheet{number}.xml"]), formats)
        for number, name in enumerate(names, 1)
    }


def told(workbook: bytes) -> str:
    """Give the same as lines of text, for a file that a person reads."""
    lines = []
    for name, rows in sheets(workbook).items():
        lines.append(f"== {name}")
        lines += [json.dumps(row, ensure_ascii=False, default=str) for row in rows]
    return "\n".join(lines) + "\n"


def _root(xml: str) -> ET.Element:
    return ET.fromstring(xml)


def _formats(styles: str) -> list[str]:
    root = _root(styles)
    codes = {one.get("numFmtId"): one.get("formatCode", "") for one in root.iter(f"{_MAIN}numFmt")}
    (cells,) = root.iter(f"{_MAIN}cellXfs")
    return [codes.get(one.get("numFmtId"), "") for one in cells]


def _rows(root: ET.Element, formats: list[str]) -> list[list[object]]:
    found = []
    for row in root.iter(f"{_MAIN}row"):
        cells: list[object] = []
        for cell in row.iter(f"{_MAIN}c"):
            place = _column(cell.get("r", ""))
            cells += [None] * (place - len(cells))
            cells.append(_value(cell, formats[int(cell.get("s", "0"))]))
        found.append(cells)
    return found


def _column(reference: str) -> int:
    number = 0
    for letter in reference.rstrip("0123456789"):
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _value(cell: ET.Element, shape: str) -> object:
    if cell.get("t") == "inlineStr":
        return "".join(text.text or "" for text in cell.iter(f"{_MAIN}t"))
    (value,) = cell.iter(f"{_MAIN}v")
    number = float(value.text or "0")
    if not shape.startswith("yyyy"):
        return number
    moment = datetime(1899, 12, 30, tzinfo=UTC) + timedelta(milliseconds=round(number * 86_400_000))
    return moment.replace(tzinfo=None).isoformat(sep=" ") + "".join(shape.split('"')[1:2])
