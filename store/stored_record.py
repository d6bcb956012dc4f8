"""The form of a stored record: a schema byte, a version, and msgpack by the list's layout."""

import struct
from collections.abc import Sequence

import msgspec

from sync.lists import RETIRED
from sync.records import Agreement, Record
from sync.refusal import Refusal

SCHEMA = b"\x01"  # first byte of every stored record


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """What follows schema byte and version, aligned to the list's columns.

    `agreed` are the columns whose agreement equals the present value on both sides ([-1]: all
    of them), `bases` the pairs of the others. A column in neither was never agreed on.
    """

    crm_id: str | None
    values: list[str | None]
    agreed: list[int]
    bases: dict[int, Agreement]
    gone: str | None
    edited: dict[int, int] = {}
    asked: dict[int, str] = {}
    born: str = ""
    refused: Refusal | None = None
    contact: str = ""
    became: str | None = None
    granted: tuple[str, ...] = ()
    unwanted_at: int = 0


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Stored).decode


def version_bytes(number: int) -> bytes:
    """A version as it is stored, so that a script compares it without reading the record."""
    return struct.pack(">Q", number)


def encode(record: Record, layout: Sequence[str]) -> bytes:
    """Encode with the next version; agreements equal to the present value cost one number."""
    agreed, bases = [], {}
    for at, column in enumerate(layout):
        agreement = record.base.get(column)
        if agreement is None:
            continue
        if agreement.ours == agreement.theirs == record.values.get(column):
            agreed.append(at)
        else:
            bases[at] = agreement
    in_use = sum(not column.startswith(RETIRED) for column in layout)
    stored = _Stored(
        record.crm_id,
        [record.values.get(column) for column in layout],
        [-1] if len(agreed) == in_use else agreed,
        bases,
        record.gone,
        {at: record.edited[c] for at, c in enumerate(layout) if c in record.edited},
        {at: record.asked[c] for at, c in enumerate(layout) if c in record.asked},
        record.born,
        record.refused,
        record.contact,
        record.became,
        record.granted,
        record.unwanted_at,
    )
    return SCHEMA + version_bytes(record.version + 1) + _encode(stored)


class StoredRecord:
    """A stored record that was read, and not yet put in terms of columns.

    Raises:
        ValueError: it has a schema that this version does not know.
    """

    def __init__(self, record_id: str, blob: bytes) -> None:
        if blob[:1] != SCHEMA:
            raise ValueError(f"record {record_id} has the unknown schema {blob[0]}")
        self._id, self._version = record_id, blob[1:9]
        self._stored = _decode(blob[9:])

    @property
    def width(self) -> int:
        """How many places the layout had when it was written."""
        return len(self._stored.values)

    def in_columns(self, layout: Sequence[str]) -> Record:
        """Give the record; what stands in retired places is nobody's."""
        stored = self._stored
        places = {at: c for at, c in enumerate(layout) if not c.startswith(RETIRED)}
        filled = {at: v for at, v in enumerate(stored.values) if v is not None and at in places}
        bases = {places[at]: pair for at, pair in stored.bases.items() if at in places}
        whole = filled if stored.agreed == [-1] else (at for at in stored.agreed if at in filled)
        bases |= {places[at]: Agreement(filled[at], filled[at]) for at in whole}
        (version,) = struct.unpack(">Q", self._version)
        return Record(
            id=self._id,
            version=version,
            crm_id=stored.crm_id,
            values={places[at]: value for at, value in filled.items()},
            base=bases,
            gone=stored.gone,
            edited={places[at]: when for at, when in stored.edited.items() if at in places},
            asked={places[at]: theirs for at, theirs in stored.asked.items() if at in places},
            born=stored.born,
            refused=stored.refused,
            contact=stored.contact,
            became=stored.became,
            granted=stored.granted,
            unwanted_at=stored.unwanted_at,
        )
