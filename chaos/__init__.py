"""Breaks a whole installation in every way that we can think of, and counts what came of it.

`python -m chaos` starts real processes on loopback, gives them work, lets a plan that follows
from a seed break them, heals, drains, and prints the table of promises with measured figures.
It is no part of the product. Nothing is signalled that was not started here.
"""
