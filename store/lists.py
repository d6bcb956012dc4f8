"""The marketing lists and their settings."""

from collections.abc import Callable, Collection, Sequence

import msgspec
import redis

from store.records import Records
from sync.lists import MarketingList, narrowed, widened

_decode = msgspec.json.Decoder(MarketingList).decode
encode_list = msgspec.json.Encoder().encode


class ListMissingError(KeyError):
    """There is no list of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)

    def __str__(self) -> str:
        return f"no list is called {self.args[0]!r}; `sugarloop lists` shows all"


class ListExistsError(Exception):
    """A list of that name is there already."""


class Lists:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def get(self, list_id: str) -> MarketingList:
        """Read one list.

        Raises:
            ListMissingError: it does not exist.
        """
        raw = self._client.hget("lists", list_id)
        if raw is None:
            raise ListMissingError(list_id)
        return _decode(raw)

    def all(self) -> list[MarketingList]:
        """Read every list, by title."""
        return sorted((_decode(r) for r in self._client.hvals("lists")), key=lambda m: m.title)

    def create(self, new: MarketingList) -> None:
        """Add a list.

        Raises:
            ListExistsError: its id is taken.
        """
        if not self._client.hsetnx("lists", new.id, encode_list(new)):
            raise ListExistsError(f"a list called {new.title!r} is there already")

    def change(
        self,
        list_id: str,
        edit: Callable[[MarketingList], MarketingList],
        also: Callable[["redis.client.Pipeline", MarketingList], None] | None = None,
    ) -> MarketingList:
        """Apply `edit` to the list as it stands; nobody else's edit is overwritten.

        `also` adds commands to the transaction that writes the edited list.

        Raises:
            ListMissingError: it does not exist.
        """
        while True:
            with self._client.pipeline() as pipe:
                pipe.watch("lists")
                raw = pipe.hget("lists", list_id)
                if raw is None:
                    raise ListMissingError(list_id)
                edited = edit(_decode(raw))
                pipe.multi()
                pipe.hset("lists", list_id, encode_list(edited))
                if also:
                    also(pipe, edited)
                try:
                    pipe.execute()
                except redis.WatchError:
                    continue
                return edited

    def widen(self, list_id: str, columns: Sequence[str]) -> MarketingList:
        """Add columns that the list does not have yet, at its end; the others stay in place."""

        return self.change(list_id, lambda of: widened(of, columns))

    def narrow(self, list_id: str, columns: Collection[str]) -> MarketingList:
        """Take columns away, with their values; SugarCRM keeps its own."""
        return self.change(list_id, lambda of: narrowed(of, columns))

    def records(self, of: MarketingList) -> Records:
        """The records of a list, read with its columns."""
        return Records(self._client, of.id, of.layout)
