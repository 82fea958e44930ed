"""The report stage: lines as `--json` has them in, text to a stream out; it compares nothing."""
