"""Benchmarks: ratios against named peers within one run; `python -m benchmarks`."""
