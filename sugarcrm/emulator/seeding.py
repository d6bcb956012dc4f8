"""Sample people, with the names and addresses that make trouble."""

from sugarcrm.emulator.service import Service


def seed_people(service: Service, leads: int, contacts: int, seed: int) -> None:
    """Make leads and contacts; the same numbers and seed make the same people."""
