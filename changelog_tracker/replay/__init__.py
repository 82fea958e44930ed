"""Stage 6: what is to be put back, as commands for a person to run."""
