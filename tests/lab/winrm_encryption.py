"""Messages encrypted inside HTTP: multipart/encrypted as MS-WSMV has it."""

from __future__ import annotations

import re
import struct
from typing import Any

BOUNDARY = "--Encrypted Boundary"
EXCHANGE_BOUNDARY = "-- Encrypted Boundary"
# CredSSP wraps TLS records, which hold no more.
LONGEST_PART = 16384
_CUT = re.compile(rb"--\s*Encrypted Boundary(?:--)?\r\n")
_LENGTH = re.compile(rb"Length=(\d+)")
_TYPE = b"\tContent-Type: application/octet-stream\r\n"


class NotEncryptedError(Exception):
    """It cannot be decrypted: damaged, or by another context."""


def unseal(context: Any, body: bytes) -> bytes:
    """
    Decrypt what a client sent.

    Raises:
        NotEncryptedError: It is of another context, or damaged.
    """
    parts = [part for part in _CUT.split(body) if part]
    if not parts or len(parts) % 2:
        raise NotEncryptedError("parts")
    found = []
    for head, payload in zip(parts[::2], parts[1::2], strict=True):
        length = _LENGTH.search(head)
        sealed = payload.removeprefix(_TYPE)
        if length is None or len(sealed) < 20:
            raise NotEncryptedError("head")
        (size,) = struct.unpack("<I", sealed[:4])
        try:
            plain = context.unwrap_winrm(sealed[4 : 4 + size], sealed[4 + size :])
        except Exception as error:
            raise NotEncryptedError(str(error)) from error
        if len(plain) != int(length[1]):
            raise NotEncryptedError("length")
        found.append(plain)
    return b"".join(found)


def seal(context: Any, protocol: str, text: bytes, boundary: str = BOUNDARY) -> tuple[str, bytes]:
    """Encrypt an answer: its Content-Type and its body."""
    size = LONGEST_PART if "CredSSP" in protocol else len(text) or 1
    pieces = [text[at : at + size] for at in range(0, len(text), size)] or [b""]
    body = bytearray()
    for piece in pieces:
        header, data, padding = context.wrap_winrm(piece)
        body += (
            f"{boundary}\r\n\tContent-Type: {protocol}\r\n"
            f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;"
            f"Length={len(piece) + padding}\r\n{boundary}\r\n"
        ).encode("ascii")
        body += _TYPE + struct.pack("<I", len(header)) + header + data
    body += f"{boundary}--\r\n".encode("ascii")
    kind = "multipart/x-multi-encrypted" if len(pieces) > 1 else "multipart/encrypted"
    return f'{kind};protocol="{protocol}";boundary="Encrypted Boundary"', bytes(body)
