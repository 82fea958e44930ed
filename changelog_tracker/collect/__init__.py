"""Stage 1: from a server, a bundle or a folder to bytes with their paths."""
