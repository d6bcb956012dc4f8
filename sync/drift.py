"""Drift: a list and SugarCRM differ, though nothing told of a change.

A row may change without its date_modified: by SQL, by a restore of the database, by a save that
took longer than the overlap of a pull.
"""

import zlib
from collections.abc import Iterable, Mapping

from sync.canonical import Catalogue, is_set, same
from sync.consent import CONSENT_FIELDS, INVALID
from sync.identity import ADDRESS, is_same_address
from sync.records import REMOVED, Record
from sync.schedule import Schedule, parse_schedule

UNSEEN = "a record that the list never saw"
UNDELETED = "a record that is there again"
MISSING = "a record that is not there any more"
_NIGHT_H = 3


def drift_of(
    record: Record | None, values: Mapping[str, str], pulled: Iterable[str], catalogue: Catalogue
) -> tuple[str, ...]:
    """What of a live row is not as the list last knew it, of the fields that are pulled.

    `record` None: the list does not know the row. A field that a person is asked about is known
    to be otherwise; of consent only a restriction counts that the list does not have.
    """
    if record is None:
        return (UNSEEN,)
    if record.gone in REMOVED:
        return ()
    if record.gone:
        return (UNDELETED,)
    return tuple(
        f"another {field}"
        for field in pulled
        if field in values and field in record.base and field not in record.asked
        if _is_another(record, values, field, catalogue)
    )


def _is_another(
    record: Record, values: Mapping[str, str], field: str, catalogue: Catalogue
) -> bool:
    if field not in CONSENT_FIELDS:
        return not same(record.base[field].theirs, values[field], catalogue.get(field))
    ours = record.values.get(ADDRESS, "")
    elsewhere = field == INVALID and not is_same_address(ours, values.get(ADDRESS, ours))
    known = elsewhere or field in record.granted or is_set(record.values.get(field, ""))
    return is_set(values[field]) and not known


def night_of(list_id: str, zone: str) -> Schedule:
    """When a list is compared: each night, at a minute of its own, so that not all are at once."""
    return parse_schedule(f"daily {_NIGHT_H:02}:{zlib.crc32(list_id.encode()) % 60:02}", zone)
