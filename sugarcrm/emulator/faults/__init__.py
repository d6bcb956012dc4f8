"""Faults on demand: what servers, networks and other people do to a client."""
