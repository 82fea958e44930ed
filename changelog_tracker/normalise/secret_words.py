"""
Which names, keys and values speak of secrets: the words of the rule, and nothing else.

The rule errs on the side of silence: what it takes for a secret shows only that it changed.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SECRET_WORDS = (
    "password", "passwd", "pwd", "secret", "token", "apikey", "accesskey", "privatekey",
    "connectionstring", "credential", "passphrase",
)  # fmt: skip
# Names that end in these are secrets, of attributes and of elements.
SECRET_ENDS = (
    *_SECRET_WORDS, "validationkey", "decryptionkey", "sessionkey", "encryptedvalue", "accountkey",
)  # fmt: skip
# Names that hold these are, unless what they end in says otherwise.
_SECRET_PARTS = ("password", "passwd", "secret", "passphrase", "apikey", "accesskey", "privatekey")
_PLAIN_ENDS = (
    "format", "expression", "length", "name", "type", "provider", "attempts", "window", "enabled",
    "required", "question", "reset", "retrieval", "publickeytoken",
)  # fmt: skip
# Keys that end in these speak of secrets besides.
_PAIR_ENDS = (*SECRET_ENDS, "pass", "authorization")
# What several words have in common is searched once.
_IN_COMMON = ("pass", "ionkey", "<ss")
# Where none of these stands, the rule finds nothing.
_TRACES = {
    *SECRET_ENDS, *_SECRET_PARTS, "[enc:", "ciphervalue", '"6027"', "{secret:", "&#", "@",
    "sharedaccesskey", "authorization", "<ss>", "<ss ",
}  # fmt: skip
TRACE_WORDS = tuple(
    word.encode()
    for word in sorted(
        {next((part for part in _IN_COMMON if part in word), word) for word in _TRACES}
    )
)
# Words that say nothing of a secret: a switch, a number, a time span.
_MEASURE = re.compile(r"(true|false|-?\d{1,10}|(\d+\.)?\d{1,3}:\d{2}(:\d{2})?)", re.IGNORECASE)
_IN_A_VALUE = re.compile(
    r"\[enc:|\{secret:|://[^/@\s:]+:[^/@\s]+@|\b(password|pwd|accountkey|sharedaccesskey)\s*=\s*[^;\s]",
    re.IGNORECASE,
)
_IN_A_COMMENT = re.compile(
    r"(password|passwd|pwd|secret|token|apikey|accesskey|privatekey|credential)\s*[:=]\s*\S",
    re.IGNORECASE,
)


def is_secret_attribute(name: str, text: str) -> bool:
    """Tell whether an attribute holds a secret, by its name."""
    if text.startswith("AutoGenerate") or is_switch(text) or not is_secret_name(name):
        return False
    return name.casefold().endswith(SECRET_ENDS) or _MEASURE.fullmatch(text) is None


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Tell whether a name of an attribute or element speaks of a secret."""
    low = name.casefold()
    if low.endswith(_PLAIN_ENDS):
        return False
    return low.endswith(SECRET_ENDS) or any(part in low for part in _SECRET_PARTS)


def is_switch(text: str) -> bool:
    """Tell whether a text only switches something."""
    return text.casefold() in {"true", "false"}


def is_secret_pair(key: str, text: str) -> bool:
    """Tell whether `<add key=KEY value=TEXT>` holds a secret, by what the key says."""
    low = key.casefold()
    ends = low.endswith(_PAIR_ENDS) and not low.endswith("bypass")
    if not ends and not any(word in low for word in _SECRET_WORDS):
        return False
    return ends or _MEASURE.fullmatch(text) is None


def is_secret_value(text: str) -> bool:
    """Tell whether a value shows by its own form that it holds a secret."""
    return _IN_A_VALUE.search(text) is not None


def is_secret_comment(text: str) -> bool:
    """Tell whether a comment gives a secret away."""
    return is_secret_value(text) or _IN_A_COMMENT.search(text) is not None
