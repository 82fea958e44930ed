"""`changelog-tracker` and `python -m changelog_tracker`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        from changelog_tracker.cli import run

        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        # Ctrl-C before a command began, or after it ended.
        sys.exit(130)


if __name__ == "__main__":
    main()
