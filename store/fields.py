"""SugarCRM's field catalogue as last read, and the standard field names drawn from it."""

from collections.abc import Iterable

import msgspec
import redis

from sync.catalogue import FieldDef
from sync.standard_fields import StandardField

_decode_catalogue = msgspec.json.Decoder(list[FieldDef]).decode
_decode_field = msgspec.json.Decoder(StandardField).decode


class Fields:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def catalogue(self, module: str) -> dict[str, FieldDef]:
        """The fields of a module by name; empty before the first read."""
        raw = self._client.hget("catalogue", module)
        return {field.name: field for field in _decode_catalogue(raw)} if raw else {}

    def put_catalogue(self, module: str, fields: Iterable[FieldDef]) -> None:
        """Replace what is known of a module."""
        self._client.hset("catalogue", module, msgspec.json.encode(list(fields)))

    def standard(self) -> dict[str, StandardField]:
        """The standard field names, in order of name."""
        raw = self._client.hgetall("standard_fields")
        return {name.decode(): _decode_field(blob) for name, blob in sorted(raw.items())}

    def put_standard(self, fields: Iterable[StandardField]) -> None:
        """Add or replace standard field names, all at once."""
        mapping = {field.name: msgspec.json.encode(field) for field in fields}
        if mapping:
            self._client.hset("standard_fields", mapping=mapping)
