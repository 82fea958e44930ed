"""changelog_tracker: the change log of an Exchange Client Access server, kept by itself."""

__version__ = "0.1.0"
