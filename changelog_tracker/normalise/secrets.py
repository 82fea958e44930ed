"""
Secrets: what is one, and the keyed fingerprint that stands in its place.

A configuration file is searched before it is parsed, so that comments are covered too and nothing
later ever sees a secret. `{secret:<key id>:<fingerprint>}` stands where it stood, in the stored
file and in every setting. An Exchange object's secrets are told by their type and the catalogue.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from bisect import bisect_right
from html import unescape
from typing import TYPE_CHECKING

from changelog_tracker.normalise.secret_words import (
    SECRET_ENDS,
    TRACE_WORDS,
    is_secret_attribute,
    is_secret_comment,
    is_secret_name,
    is_secret_pair,
    is_secret_value,
    is_switch,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Value

    Span = tuple[int, int]

SECRET_TOKEN = re.compile(r"\{secret:([0-9a-f]+:[0-9a-f]+)\}")
# The attributes that hold what an element's key or own name speaks of.
_VALUE_ATTRIBUTES = frozenset({"value", "data", "text"})
_KEY_ATTRIBUTES = ("key", "name", "id")
# Words of every assembly reference and of Extended Protection; same length, so places stay.
_HARMLESS = ((b"publickeytoken", b"publickey-----"), (b"tokenchecking", b"-----checking"))
_TAG = re.compile(
    rb"<([^\s<>/!?=\"']+)((?:\s+[^\s=<>/\"']+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*/?>"
)
_ATTRIBUTE = re.compile(rb"([^\s=<>/\"']+)\s*=\s*(?:\"([^\"<]*)\"|'([^'<]*)')")
_BLOCK = re.compile(rb"<!--(.*?)-->|<!\[CDATA\[(.*?)\]\]>|<\?(.*?)\?>", re.DOTALL)
_COMMENT, _CDATA = 1, 2
_TAG_EDGE = re.compile(rb"[<>]")
_ANY_TAG = re.compile(rb"<(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*>")
# Metabase property AdminACL: a security descriptor bound to the machine.
_ADMIN_ACL = "6027"

# Half of an HMAC-SHA256 is as much as RFC 2104 asks for, and 2**128 is no guess.
FINGERPRINT_BYTES = 16


class Fingerprints:
    """
    Make fingerprints under one key.

    Args:
        key: The store's key, at least 16 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.key_id = hashlib.sha256(b"key id" + key).hexdigest()[:8]

    def of_text(self, text: str) -> dict[str, Value]:
        """Give the JSON value that stands for a secret text."""
        return {"secret": self._name(text)}

    def token(self, text: str) -> str:
        """Give the text that stands for a secret in a file."""
        return f"{{secret:{self._name(text)}}}"

    def of_file(self, sha256: bytes) -> bytes:
        """Give the fingerprint of a file by the SHA-256 of its bytes."""
        return hmac.digest(self._key, b"file" + sha256, "sha256")[:FINGERPRINT_BYTES]

    def _name(self, text: str) -> str:
        data = b"text" + text.encode("utf-8", "surrogatepass")
        return f"{self.key_id}:{hmac.digest(self._key, data, 'sha256').hex()[:32]}"


def redact(data: bytes, fingerprints: Fingerprints, names: frozenset[str] = frozenset()) -> bytes:
    """
    Put fingerprints in the place of a configuration file's secrets.

    Args:
        data: The file, in UTF-8 or another encoding that spells ASCII as ASCII.
        fingerprints: Under the store's key.
        names: Properties of exports that are secrets by the catalogue, in lower case.

    Returns:
        The file's own bytes, with nothing else changed. What is a fingerprint already stays.
    """
    edits: dict[Span, bytes] = {}
    blocks = list(_BLOCK.finditer(data))
    begins = [block.start() for block in blocks]
    seen: set[int] = set()
    for at in _traces(data, names):
        near = bisect_right(begins, at) - 1
        block = blocks[near] if near >= 0 and blocks[near].end() > at else None
        tag = _TAG.match(data, data.rfind(b"<", 0, at + 1))
        if tag is not None and tag.end() <= at:
            tag = None
        start = tag.start() if tag else block.start() if block else at
        if start in seen:
            continue
        seen.add(start)
        if tag is not None and (block is None or block.lastindex != _CDATA):
            for span, text in _secrets_of_tag(tag, data):
                edits[span] = fingerprints.token(text).encode()
            for group in _secret_texts(tag, data, names):
                edits |= _edits_of_group(data, group, fingerprints, secret=True)
        elif block is not None and block.lastindex != _CDATA:
            if is_secret_comment(block[block.lastindex or 0].decode("utf-8", "replace")):
                edits[block.span(block.lastindex or 0)] = b" {secret in a comment} "
        else:
            group = _group_after(data, _tag_end_before(data, at, blocks, begins))
            edits |= _edits_of_group(data, group, fingerprints, secret=False)
    return _edited(data, edits)


def _edited(data: bytes, edits: dict[Span, bytes]) -> bytes:
    parts: list[bytes] = []
    done = 0
    for (begin, stop), put in sorted(edits.items(), key=lambda edit: (edit[0][0], -edit[0][1])):
        # What lies in a comment that goes as a whole goes with it.
        if begin >= done:
            parts += [data[done:begin], put]
            done = stop
    return b"".join((*parts, data[done:]))


def _traces(data: bytes, names: frozenset[str]) -> Iterator[int]:
    """Give each place where a word tells of a secret."""
    for start, stop in _searched(data):
        low = data[start:stop].lower()
        for word, blank in _HARMLESS:
            low = low.replace(word, blank)
        for word in (*TRACE_WORDS, *(name.encode() for name in names)):
            at = low.find(word)
            while at >= 0:
                yield start + at
                # One trace in a tag or a text is enough: all of it is looked at.
                end = _TAG_EDGE.search(low, at)
                at = low.find(word, end.end()) if end else -1


def _searched(data: bytes) -> Iterator[Span]:
    """Give the parts to search: not the thousands of assembly references, which name no secret."""
    start = 0
    begin = data.find(b"<assemblyBinding")
    while begin >= 0:
        stop = data.find(b"</assemblyBinding>", begin)
        if stop < 0:
            break
        if data.find(b"<!--", begin, stop) < 0:
            yield start, begin
            start = stop
        begin = data.find(b"<assemblyBinding", stop)
    yield start, len(data)


def _secrets_of_tag(tag: re.Match[bytes], data: bytes) -> list[tuple[Span, str]]:
    """Give the secrets among an element's attributes: place in the file, and what they say."""
    attributes = _attributes(tag, data)
    key_name, key = _key_of(attributes)
    element = is_secret_name(_local(tag[1]))
    found = []
    for name, (span, text) in attributes.items():
        holds = name in _VALUE_ATTRIBUTES or (key_name == "key" and name != "key")
        said = holds and (is_secret_pair(key, text) or (element and not is_switch(text)))
        acl = name == "value" and attributes.get("id", ("", ""))[1] == _ADMIN_ACL
        secret = said or acl or is_secret_attribute(name, text) or is_secret_value(text)
        if text and secret and not SECRET_TOKEN.fullmatch(text):
            found.append((span, text))
    return found


def _key_of(attributes: dict[str, tuple[Span, str]]) -> tuple[str, str]:
    """Give the attribute that says what an element is about, and what it says."""
    for name in _KEY_ATTRIBUTES:
        if name in attributes:
            return name, attributes[name][1]
    return "", ""


def _local(tag: bytes) -> str:
    return tag.decode("latin-1").rpartition(":")[2]


def _attributes(tag: re.Match[bytes], data: bytes) -> dict[str, tuple[Span, str]]:
    attributes = {}
    for match in _ATTRIBUTE.finditer(data, tag.start(2), tag.end(2)):
        name = match[1].decode("latin-1").rpartition(":")[2]
        group = 2 if match[2] is not None else 3
        attributes[name] = (match.span(group), _text(match[group]))
    return attributes


def _secret_texts(tag: re.Match[bytes], data: bytes, names: frozenset[str]) -> Iterator[list[Span]]:
    """Give the texts in an element whose name, or whose key, tells of a secret."""
    if tag[0].endswith(b"/>"):
        return
    attributes = _attributes(tag, data)
    said = attributes.get("N")
    if said is not None:
        # A property of an export: only a text can be a secret, and its name is all there is.
        name = said[1].casefold()
        secret = tag[1] == b"SS" or name in names
        secret = secret or (tag[1] == b"S" and name.endswith(SECRET_ENDS))
    else:
        name = _local(tag[1]).casefold()
        secret = tag[1] == b"SS" or name == "ciphervalue" or is_secret_name(name)
    _, key = _key_of(attributes)
    if not secret and not is_secret_pair(key, key):
        return
    stop = data.find(b"</" + tag[1], tag.end())
    begin = tag.end()
    while 0 <= begin < stop:
        group = _group_after(data, begin)
        text = "".join(_text(data[a:b]) for a, b in group)
        if (secret and not is_switch(text.strip())) or is_secret_pair(key, text):
            yield group
        below = _ANY_TAG.match(data, group[-1][1])
        begin = below.end() if below else -1


def _group_after(data: bytes, begin: int) -> list[Span]:
    """Give the pieces of one text: what stands up to the next tag, and CDATA among it."""
    pieces: list[Span] = []
    while begin < len(data):
        stop = data.find(b"<", begin)
        pieces.append((begin, stop if stop >= 0 else len(data)))
        block = _BLOCK.match(data, stop) if stop >= 0 else None
        if block is None:
            break
        if block.lastindex == _CDATA:
            pieces.append(block.span(_CDATA))
        begin = block.end()
    return pieces


def _tag_end_before(data: bytes, at: int, blocks: list[re.Match[bytes]], begins: list[int]) -> int:
    """Find where the tag before a text ends; comments and CDATA are no tags."""
    begin = data.rfind(b"<", 0, at + 1)
    while begin >= 0:
        near = bisect_right(begins, begin) - 1
        if near < 0 or blocks[near].end() <= begin:
            tag = _ANY_TAG.match(data, begin)
            return tag.end() if tag else begin + 1
        begin = data.rfind(b"<", 0, blocks[near].start())
    return 0


def _edits_of_group(
    data: bytes, group: list[Span], fingerprints: Fingerprints, *, secret: bool
) -> dict[Span, bytes]:
    """Put one fingerprint in the place of a text, however many pieces it has."""
    filled = [(begin, stop) for begin, stop in group if data[begin:stop].strip()]
    text = "".join(_text(data[begin:stop]) for begin, stop in filled)
    if not filled or SECRET_TOKEN.fullmatch(text.strip()):
        return {}
    if not (secret or is_secret_value(text)):
        return {}
    first, *others = filled
    return {first: fingerprints.token(text).encode(), **dict.fromkeys(others, b"")}


def _text(raw: bytes) -> str:
    return unescape(raw.decode("utf-8", "surrogateescape"))
