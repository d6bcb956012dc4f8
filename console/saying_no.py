"""A restriction that somebody sets by hand is of the address, so every list hears of it."""

from collections.abc import Mapping

from console.edits import person
from sync.canonical import is_set
from sync.consent import CONSENT_FIELDS
from sync.identity import ADDRESS, normal_email
from sync.lists import MarketingList
from sync.records import Record
from workers.app import App
from workers.restricting import restrict_everywhere


def pass_on(app: App, of: MarketingList, record: Record, given: Mapping[str, str]) -> None:
    """Restrict everybody else with the record's address as the `given` values say; nothing else
    is passed on. Done again, it changes nothing.
    """
    flags = {flag for flag in CONSENT_FIELDS & given.keys() if is_set(given[flag])}
    address = normal_email(record.values.get(ADDRESS, ""))
    if flags and address:
        because = f"set by hand in {of.title!r}"
        restrict_everywhere(app, {address: flags}, person(), because, {(of.id, record.id)})
