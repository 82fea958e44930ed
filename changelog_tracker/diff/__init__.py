"""Snapshots -> changes: comparing, the order of time, and the classes of changes."""
