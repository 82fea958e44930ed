"""A plan as PowerShell: one self-contained file that a person runs on the server."""
