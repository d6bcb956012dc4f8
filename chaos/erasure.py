"""P13: after `forget`, an address is nowhere."""

from collections.abc import Iterator

from chaos import scanning
from chaos.drain import TITLES
from chaos.people import CONTACTS
from chaos.site import Site
from chaos.verdict import Row, judged, not_measured

ABOUT, LIMIT = "a person who was forgotten", "0 found, and not taken in again"


def forget(site: Site, address: str) -> Row | None:
    """Forget a person; a row when that cannot be measured or fails, else None: scan later."""
    said = site.type("forget", address)
    if "No such command" in said.talk:
        return not_measured("P13", ABOUT, "`sugarloop forget` is not there yet", LIMIT)
    if said.exit_code:
        why = f"`forget` ended with {said.exit_code}"
        return judged("P13", ABOUT, why, LIMIT, good=False)
    site.must("sync", "run", TITLES[CONTACTS], "--wait", "--timeout", "80")
    return None


def forgotten_rows(site: Site, address: str) -> Iterator[Row]:
    """Look for the address in all keys and logs, in the list, and in the store's files."""
    spellings = {"the address": address}
    found = scanning.live(site.app.client, address)
    logs = list(scanning.scan([site.output], spellings).found)
    records = site.app.lists.records(site.app.lists.get(CONTACTS))
    back = len(records.ids_by_email(address))
    said = f"in {len(found)} keys, {len(logs)} logs {' '.join(found + logs)}".strip()
    said += f"; {back} records of the list after a sync"
    yield judged("P13", ABOUT, said, LIMIT, good=not (found or logs or back))
    files = scanning.scan(site.store.files(), spellings).found
    said = ", ".join(files) or "in none"
    yield judged("P13", "and in the store's files, rewritten", said, "in none", good=not files)
