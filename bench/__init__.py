"""Benchmarks, as ratios in one run, since a machine's speed is its own."""
