"""How much `import PATH` takes in before it refuses, so that no input can exhaust the machine."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """
    The limits of one import; sizes in bytes.

    Args:
        total_bytes: All files of a folder together.
        file_bytes: One file; a longer one is unread.
        files: Files and folders below PATH.
        zip_total_bytes: All entries of a zip together, unpacked.
        zip_entries: Entries of a zip, folders included.
        zip_directory_bytes: The list of entries inside a zip, which is read as a whole.
        zip_ratio: Unpacked to packed, above which a zip is a bomb.
        zip_ratio_from_bytes: Unpacked size up to which the ratio does not matter.
    """

    total_bytes: int = 1024 * MIB
    file_bytes: int = 256 * MIB
    files: int = 100_000
    zip_total_bytes: int = 256 * MIB
    zip_entries: int = 20_000
    zip_directory_bytes: int = 8 * MIB
    zip_ratio: int = 200
    zip_ratio_from_bytes: int = 10 * MIB


DEFAULT_LIMITS = Limits()


def in_words(size_bytes: int) -> str:
    """Write a limit as people read it: `256 MiB`, `900 bytes`."""
    if size_bytes >= MIB:
        return f"{size_bytes // MIB} MiB"
    return f"{size_bytes} bytes"
