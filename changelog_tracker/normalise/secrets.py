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
from functools import lru_cache
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Value

SECRET_TOKEN = re.compile(r"\{secret:([0-9a-f]+:[0-9a-f]+)\}")
_SECRET_WORDS = (
    "password", "passwd", "pwd", "secret", "token", "apikey", "accesskey", "privatekey",
    "connectionstring", "credential", "passphrase",
)  # fmt: skip
_SECRET_ATTRIBUTES = (
    "password", "secret", "validationkey", "decryptionkey", "connectionstring", "sessionkey",
    "encryptedvalue", "passphrase", "apikey",
)  # fmt: skip
# Where none of these stands, the rule finds nothing.
_TRACE_WORDS = tuple(
    word.encode()
    for word in sorted(
        {
            *_SECRET_WORDS,
            *_SECRET_ATTRIBUTES,
            "[enc:",
            "ciphervalue",
            '"6027"',
            "{secret:",
            "@",
            "<ss>",
            "<ss ",
        }
    )
)
# Words of every assembly reference and of Extended Protection; same length, so places stay.
_HARMLESS = ((b"publickeytoken", b"publickey-----"), (b"tokenchecking", b"-----checking"))
_TAG = re.compile(
    rb"<([^\s<>/!?=\"']+)((?:\s+[^\s=<>/\"']+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*/?>"
)
_ATTRIBUTE = re.compile(rb"([^\s=<>/\"']+)\s*=\s*(?:\"([^\"<]*)\"|'([^'<]*)')")
_COMMENT = re.compile(rb"<!--(.*?)-->", re.DOTALL)
_CDATA = re.compile(rb"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
# Words that say nothing of a secret: a switch, a number, a time span.
_MEASURE = re.compile(r"(true|false|-?\d{1,10}|(\d+\.)?\d{1,3}:\d{2}(:\d{2})?)", re.IGNORECASE)
_IN_A_VALUE = re.compile(
    r"\[enc:|\{secret:|://[^/@\s:]+:[^/@\s]+@|\b(password|pwd)\s*=\s*[^;\s]", re.IGNORECASE
)
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


def redact(data: bytes, fingerprints: Fingerprints) -> bytes:
    """
    Put fingerprints in the place of a configuration file's secrets.

    Args:
        data: The file, in UTF-8 or another encoding that spells ASCII as ASCII.
        fingerprints: Under the store's key.

    Returns:
        The file's own bytes, with nothing else changed.
    """
    edits: dict[tuple[int, int], bytes] = {}
    for begin in _places(data):
        comment = _COMMENT.match(data, begin)
        if comment is not None and _is_secret_value(comment[1].decode("utf-8", "replace")):
            edits[comment.span(1)] = b" {secret in a comment} "
        tag = _TAG.match(data, begin)
        if tag is None:
            continue
        for span, text in _secrets_of_tag(tag, data):
            edits[span] = fingerprints.token(unescape(text)).encode()
    for (begin, stop), token in sorted(edits.items(), reverse=True):
        data = data[:begin] + token + data[stop:]
    return data


def _places(data: bytes) -> set[int]:
    """Give where the tags begin that hold a trace of a secret, or stand before a text that does."""
    begins = set()
    for start, stop in _searched(data):
        low = data[start:stop].lower()
        for word, blank in _HARMLESS:
            low = low.replace(word, blank)
        for word in _TRACE_WORDS:
            at = low.find(word)
            while at >= 0:
                begins.add(_tag_before(data, start + at))
                at = low.find(word, at + 1)
    return begins


def _searched(data: bytes) -> Iterator[tuple[int, int]]:
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


def _tag_before(data: bytes, at: int) -> int:
    """Find the tag that a place lies in or behind; a comment's own start where that is one."""
    begin = data.rfind(b"<", 0, at)
    comment = data.rfind(b"<!--", 0, at)
    if comment >= 0 and data.find(b"-->", comment) > at and comment >= begin:
        return comment
    while begin > 0 and data.startswith((b"<!", b"<?"), begin):
        begin = data.rfind(b"<", 0, begin)
    return max(begin, 0)


def _secrets_of_tag(tag: re.Match[bytes], data: bytes) -> list[tuple[tuple[int, int], str]]:
    """Give the secrets of one element: place in the file, and text as it is written there."""
    found = []
    attributes = {}
    for match in _ATTRIBUTE.finditer(data, tag.start(2), tag.end(2)):
        name = match[1].decode("latin-1").rpartition(":")[2]
        group = 2 if match[2] is not None else 3
        attributes[name] = (match.span(group), match[group].decode("utf-8", "surrogateescape"))
    pair = attributes.get("key") or attributes.get("name")
    for name, (span, text) in attributes.items():
        said = name == "value" and _is_secret_pair(pair[1] if pair else "", text)
        acl = name == "value" and attributes.get("id", ("", ""))[1] == _ADMIN_ACL
        if text and (said or acl or _is_secret_attribute(name, text) or _is_secret_value(text)):
            found.append((span, text))
    if not tag[0].endswith(b"/>"):
        # A CLIXML property carries its name in N.
        name = attributes.get("N", ("", ""))[1] or tag[1].decode("latin-1")
        found += _secret_text("password" if tag[1] == b"SS" else name, tag.end(), data)
    return found


def _secret_text(tag: str, begin: int, data: bytes) -> list[tuple[tuple[int, int], str]]:
    """Give the text after a start tag where it is a secret."""
    white = re.compile(rb"\s*").match(data, begin)
    cdata = _CDATA.match(data, white.end() if white else begin)
    stop = data.find(b"<", begin)
    span = cdata.span(1) if cdata else (begin, stop if stop >= 0 else len(data))
    text = data[span[0] : span[1]].decode("utf-8", "surrogateescape")
    name = tag.rpartition(":")[2].casefold()
    secret = name == "ciphervalue" or name.endswith(_SECRET_ATTRIBUTES)
    if text.strip() and (secret or _is_secret_value(text)):
        return [(span, text)]
    return []


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
