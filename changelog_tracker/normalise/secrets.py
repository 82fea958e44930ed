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
from functools import lru_cache
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Value

    Span = tuple[int, int]

SECRET_TOKEN = re.compile(r"\{secret:([0-9a-f]+:[0-9a-f]+)\}")
_SECRET_WORDS = (
    "password", "passwd", "pwd", "secret", "token", "apikey", "accesskey", "privatekey",
    "connectionstring", "credential", "passphrase",
)  # fmt: skip
_SECRET_ATTRIBUTES = (
    "password", "secret", "validationkey", "decryptionkey", "connectionstring", "sessionkey",
    "encryptedvalue", "passphrase", "apikey",
)  # fmt: skip
# What several words have in common is searched once.
_IN_COMMON = ("pass", "ionkey", "<ss")
# Where none of these stands, the rule finds nothing.
_TRACES = {
    *_SECRET_WORDS, *_SECRET_ATTRIBUTES, "[enc:", "ciphervalue", '"6027"', "{secret:", "&#", "@",
    "<ss>", "<ss ",
}  # fmt: skip
_TRACE_WORDS = tuple(
    word.encode()
    for word in sorted(
        {next((part for part in _IN_COMMON if part in word), word) for word in _TRACES}
    )
)
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
# Words that say nothing of a secret: a switch, a number, a time span.
_MEASURE = re.compile(r"(true|false|-?\d{1,10}|(\d+\.)?\d{1,3}:\d{2}(:\d{2})?)", re.IGNORECASE)
_IN_A_VALUE = re.compile(
    r"\[enc:|\{secret:|://[^/@\s:]+:[^/@\s]+@|\b(password|pwd)\s*=\s*[^;\s]", re.IGNORECASE
)
_IN_A_COMMENT = re.compile(r"(password|passwd|pwd|secret)\s*[:=]\s*\S", re.IGNORECASE)
# Metabase property AdminACL: a security descriptor bound to the machine.
_ADMIN_ACL = "6027"


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
        return hmac.digest(self._key, b"file" + sha256, "sha256")

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
            if _is_secret_comment(block[block.lastindex or 0].decode("utf-8", "replace")):
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
        for word in (*_TRACE_WORDS, *(name.encode() for name in names)):
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
    pair = attributes.get("key") or attributes.get("name")
    found = []
    for name, (span, text) in attributes.items():
        said = name == "value" and _is_secret_pair(pair[1] if pair else "", text)
        acl = name == "value" and attributes.get("id", ("", ""))[1] == _ADMIN_ACL
        secret = said or acl or _is_secret_attribute(name, text) or _is_secret_value(text)
        if text and secret and not SECRET_TOKEN.fullmatch(text):
            found.append((span, text))
    return found


def _attributes(tag: re.Match[bytes], data: bytes) -> dict[str, tuple[Span, str]]:
    attributes = {}
    for match in _ATTRIBUTE.finditer(data, tag.start(2), tag.end(2)):
        name = match[1].decode("latin-1").rpartition(":")[2]
        group = 2 if match[2] is not None else 3
        attributes[name] = (match.span(group), _text(match[group]))
    return attributes


def _secret_texts(tag: re.Match[bytes], data: bytes, names: frozenset[str]) -> Iterator[list[Span]]:
    """Give the text below a start tag where the element's name, or its key, tells of a secret."""
    if tag[0].endswith(b"/>"):
        return
    attributes = _attributes(tag, data)
    # A CLIXML property carries its name in N.
    name = attributes.get("N", ("", ""))[1] or tag[1].decode("latin-1")
    name = name.rpartition(":")[2].casefold()
    key = (attributes.get("key") or attributes.get("name") or ("", ""))[1]
    group = _group_after(data, tag.end())
    secret = (
        tag[1] == b"SS"
        or name in names
        or name == "ciphervalue"
        or name.endswith(_SECRET_ATTRIBUTES)
    )
    if secret or _is_secret_pair(key, "".join(_text(data[a:b]) for a, b in group)):
        yield group
    if key:
        # <setting name="Password"><value>...</value></setting>
        value = _TAG.match(data, data.find(b"<", group[-1][1] if group else tag.end()))
        below = _group_after(data, value.end()) if value and value[1] == b"value" else []
        if _is_secret_pair(key, "".join(_text(data[a:b]) for a, b in below)):
            yield below


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
    if not (secret or _is_secret_value(text)):
        return {}
    first, *others = filled
    return {first: fingerprints.token(text).encode(), **dict.fromkeys(others, b"")}


def _text(raw: bytes) -> str:
    return unescape(raw.decode("utf-8", "surrogateescape"))


def _is_secret_attribute(name: str, text: str) -> bool:
    return not text.startswith("AutoGenerate") and _is_secret_name(name)


@lru_cache(maxsize=4096)
def _is_secret_name(name: str) -> bool:
    return name.casefold().endswith(_SECRET_ATTRIBUTES)


def _is_secret_pair(key: str, text: str) -> bool:
    """Tell whether `<add key=KEY value=TEXT>` holds a secret, by what the key says."""
    low = key.casefold()
    if not any(word in low for word in _SECRET_WORDS):
        return False
    return low.endswith(_SECRET_WORDS) or _MEASURE.fullmatch(text) is None


def _is_secret_value(text: str) -> bool:
    return _IN_A_VALUE.search(text) is not None


def _is_secret_comment(text: str) -> bool:
    return _is_secret_value(text) or _IN_A_COMMENT.search(text) is not None
