"""The shapes of SugarCRM's answers, and records made of them."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from sugarcrm.crm import Row
from sugarcrm.values import Wire, from_wire

ROW_FIELDS = ("id", "date_modified", "modified_user_id", "deleted")


class NameValue(msgspec.Struct, frozen=True):
    """One field as sent and received."""

    name: str
    value: Wire = None


NameValues = dict[str, NameValue] | list[NameValue]  # a list for warnings, and when empty


class Entry(msgspec.Struct, frozen=True):
    """One record of a list."""

    id: str | None = None
    name_value_list: NameValues = []


class LinkRecords(msgspec.Struct, frozen=True):
    """Records linked to one entry; each is {field: {name, value}}, or that under "link_value"."""

    name: str
    records: list[dict[str, dict[str, msgspec.Raw]]] = []


class LinkList(msgspec.Struct, frozen=True):
    """The links of one entry, in the shape of v2_1, v3_1, v4 and v4_1."""

    link_list: list[LinkRecords] = []


class EntryList(msgspec.Struct, frozen=True):
    """A page of records; links, where asked for, stand in the same order."""

    entry_list: list[Entry]
    relationship_list: list[LinkList | list[LinkRecords]] = []


class Count(msgspec.Struct, frozen=True):
    result_count: str | int | None  # text; null when the query failed


class SavedOne(msgspec.Struct, frozen=True):
    id: str


class SavedMany(msgspec.Struct, frozen=True):
    ids: list[str]  # shorter than the input where rights are missing


class Linked(msgspec.Struct, frozen=True):
    created: int = 0
    failed: int = 0
    deleted: int = 0


class LoggedIn(msgspec.Struct, frozen=True):
    id: str
    name_value_list: NameValues = []


class ServerSays(msgspec.Struct, frozen=True):
    """get_server_info; `suitecrm_version` tells SuiteCRM, and v2 lacks it."""

    flavor: str
    version: str
    gmt_time: str = ""
    suitecrm_version: str | None = None


def plain_values(sent: NameValues) -> dict[str, str]:
    """Decode every value of a name_value_list."""
    pairs: Iterable[NameValue] = sent.values() if isinstance(sent, Mapping) else sent
    return {pair.name: from_wire(pair.name, pair.value) for pair in pairs}


def row(entry: Entry, wanted: Sequence[str]) -> Row:
    """Make the record of `entry`, which was read with `ROW_FIELDS` besides `wanted`."""
    values = plain_values(entry.name_value_list)
    return Row(
        id=values.get("id") or entry.id or "",
        modified_at=values.get("date_modified", ""),
        modified_by=values.get("modified_user_id", ""),
        deleted=values.get("deleted") == "1",
        values={name: values[name] for name in wanted if name in values},
    )


def linked_values(answer: EntryList, link: str) -> list[list[dict[str, str]]]:
    """Give, for each entry, the records behind `link`; a link without records may be left out."""
    sides = answer.relationship_list
    found = [_records(side, link) for side in sides]
    return found + [[] for _ in range(len(answer.entry_list) - len(found))]


def joined(first: EntryList, then: EntryList) -> EntryList:
    """Put two pages of one list together, each entry still beside its links."""
    missing: list[list[LinkRecords]] = [
        [] for _ in first.entry_list[len(first.relationship_list) :]
    ]
    return EntryList(
        [*first.entry_list, *then.entry_list],
        [*first.relationship_list, *missing, *then.relationship_list],
    )


def _records(side: LinkList | list[LinkRecords], link: str) -> list[dict[str, str]]:
    links = side.link_list if isinstance(side, LinkList) else side
    return [_record(sent) for part in links if part.name == link for sent in part.records]


def _record(sent: dict[str, dict[str, msgspec.Raw]]) -> dict[str, str]:
    if "link_value" in sent:
        pairs = [msgspec.json.decode(raw, type=NameValue) for raw in sent["link_value"].values()]
    else:
        pairs = [_pair(raw) for raw in sent.values()]
    return {pair.name: from_wire(pair.name, pair.value) for pair in pairs}


def _pair(sent: dict[str, msgspec.Raw]) -> NameValue:
    name = msgspec.json.decode(sent["name"], type=str)
    return NameValue(name, msgspec.json.decode(sent.get("value", b"null"), type=Wire))
