"""
Attributes in = attributes out: an account of one configuration file that shares no code with it.

The source side is a plain pass of xml.etree over the file; the other side is what users see: the
names and values of settings, and the names of resources. Both are multisets of
(place, first element below <configuration>, attribute, value).
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter

TEXT = "(text)"
NAMED_BY = ("name", "path")
# Of these the resource's name tells attributes.
NAMED_KINDS = {"IisSite", "IisApplication", "IisVirtualDirectory", "IisBinding", "IisAppPool"}
_LABEL = re.compile(r"([^\s=,\[\]']+)='((?:[^']|'')*)'(?:,|$)")
_STEP = re.compile(r"\[(?:[^\[\]']|'(?:[^']|'')*')*\](?:\[[0-9]+\])?|\([^()]*\)|[^.\[\]]+|\.")


def plain(value):
    """Spell a value as both sides do: no case, no order of flags, numbers as numbers."""
    if isinstance(value, dict) and value.keys() == {"secret"}:
        return f"{{secret:{value['secret']}}}"
    if isinstance(value, bool | int):
        return str(value).casefold()
    if isinstance(value, list):
        value = ",".join(value)
    if re.fullmatch(r"-?[0-9]{1,19}", value):
        return str(int(value))
    words = sorted({word.strip() for word in value.casefold().split(",")} - {"", "none"})
    return ",".join(words)


def local(name):
    """Give a name without its namespace, and of a dotted name the last part."""
    return name.rpartition("}")[2].rpartition(".")[2]


def attributes_in(data):
    """
    Count what a file says.

    Returns:
        The account, and apart from it the set of (place, attribute, value) that stands on
        <location> elements, which comes out with each section below.
    """
    account, locations = Counter(), set()
    for block in ET.fromstring(data):
        if local_tag(block) != "location":
            _count(block, "", local_tag(block), account)
            continue
        place = block.get("path") or ""
        place = "" if place == "." else place
        others = {(local(n), plain(v)) for n, v in block.attrib.items() if n != "path"}
        locations |= {(place, *pair) for pair in others}
        for section in block:
            _count(section, place, local_tag(section), account)
    return account, locations


def local_tag(element):
    """Give an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def _count(element, place, section, account, above=()):
    for name, text in element.attrib.items():
        account[place, section, local(name), plain(text)] += 1
    if local_tag(element) == "virtualDirectory" and len(above) == 2:
        # Its resource is named by site, application and directory together.
        site, application = (one.get(key, "") for one, key in zip(above, NAMED_BY, strict=True))
        path = element.get("path", "")
        account[place, section, "path", plain(path)] -= 1
        whole = f"{site}{application}".rstrip("/") + path
        account[place, section, "virtualDirectory", plain(whole)] += 1
    texts = [element.text, *(child.tail for child in element)]
    text = "".join(part.strip() for part in texts if part)
    if text:
        account[place, section, TEXT, plain(text)] += 1
    for child in element:
        below = local_tag(element) in {"site", "application"}
        _count(child, place, section, account, (*above, element) if below else ())


def attributes_out(resources):
    """
    Count what the settings of a file's resources say.

    Args:
        resources: (kind, name, settings, ignored) of each; ignored as (name, value, rule).

    Returns:
        The account, what came out of <location> elements, and how often each rule left
        something out; what a rule left out is in the account too.
    """
    account, locations, rules = Counter(), set(), Counter()
    for kind, name, settings, ignored in resources:
        place, section = _where(kind, name)
        if kind in NAMED_KINDS:
            for attribute, value in _told_by_name(kind, name):
                account[place, section, attribute, plain(value)] += 1
        labels = set()
        for setting, value in [*settings, *((n, v) for n, v, _ in ignored)]:
            _add_setting(setting, value, (place, section), account, labels)
            if re.fullmatch(
                r"\((overrideMode|allowOverride|inheritInChildApplications)\)", setting
            ):
                locations.add((place, setting.strip("()"), plain(value)))
        for label in labels:
            for attribute, value in keys_of(label[-1]):
                account[place, section, local(attribute), plain(value)] += 1
        rules.update(rule for _, _, rule in ignored)
    return account, locations, rules


def _where(kind, name):
    if kind in NAMED_KINDS:
        return "", "system.applicationHost"
    place, _, section = name.rpartition(" : ")
    first = re.sub(r" \(\d+\)$", "", section).partition("/")[0]
    if kind == "ConfigFile":
        inside = re.search(r"\((.*)\)$", place)
        return inside[1] if inside else "", first
    return "" if place == "MACHINE/WEBROOT/APPHOST" else place, first


def _told_by_name(kind, name):
    name = re.sub(r" \(\d+\)$", "", name)
    if kind == "IisBinding":
        protocol, _, information = name.rpartition(" : ")[2].partition("/")
        return [("protocol", protocol), ("bindingInformation", information)]
    if kind == "IisApplication":
        return [("path", "/" + name.partition("/")[2])]
    if kind == "IisVirtualDirectory":
        return [("virtualDirectory", name)]
    return [("name", name)]


def _add_setting(setting, value, where, account, labels):
    steps = [step for step in _STEP.findall(setting) if step != "."]
    for n, step in enumerate(steps):
        if step.startswith("[") and keys_of(step):
            labels.add(tuple(steps[: n + 1]))
    last = steps[-1]
    if last == "(remove)":
        for key in value:
            for attribute, text in keys_of(key):
                account[*where, local(attribute), plain(text)] += 1
    elif last == TEXT:
        account[*where, TEXT, plain(value)] += 1
    elif not last.startswith(("[", "(")):
        account[*where, local(last), plain(value)] += 1


def keys_of(label):
    """Read `[name='X',culture='a''b']` back."""
    inner = re.sub(r"\]\[[0-9]+\]$", "]", label)[1:-1]
    return [(name, text.replace("''", "'")) for name, text in _LABEL.findall(inner)]
