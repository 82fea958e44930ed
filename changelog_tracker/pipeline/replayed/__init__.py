"""Runs of a replay script: their journals are imported, and tied to the changes they made."""
