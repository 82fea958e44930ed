"""Bytes -> raw records, one file a format."""
