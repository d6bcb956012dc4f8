"""Who may send events over HTTP: hashes of tokens, and encrypted signing secrets."""

from collections.abc import Callable

import msgspec
import redis

_KEY = "sources"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One sender. `sealed_secret` is its signing secret, encrypted; "" when it does not sign.
    An `operator` may also have work begun on whole lists.

    Those that begin with `old_` are taken beside the others while a sender changes over.
    """

    token_sha256: str
    sealed_secret: str = ""
    created_at: str = ""
    old_token_sha256: str = ""
    old_sealed_secret: str = ""
    operator: bool = False


_decode = msgspec.json.Decoder(Source).decode
_encode = msgspec.json.Encoder().encode


class SourceTable:
    """Every source, by name."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def all(self) -> dict[str, Source]:
        """Every source, in the order of their names."""
        raw = self._client.hgetall(_KEY)
        return {name.decode(): _decode(text) for name, text in sorted(raw.items())}

    def get(self, name: str) -> Source | None:
        """Read one source, None when there is none of that name."""
        raw = self._client.hget(_KEY, name)
        return None if raw is None else _decode(raw)

    def add(self, name: str, source: Source) -> bool:
        """Keep a new source; False when the name is taken."""
        return bool(self._client.hsetnx(_KEY, name, _encode(source)))

    def remove(self, name: str) -> bool:
        """Forget a source; False when there was none."""
        return bool(self._client.hdel(_KEY, name))

    def change(self, name: str, edit: Callable[[Source], Source]) -> Source | None:
        """Apply `edit` to a source as it stands, and give it as it was; None when there is none.

        Nobody else's change is overwritten, and whoever is removed meanwhile does not come back.
        `edit` may be asked more than once.
        """
        while True:
            with self._client.pipeline() as pipe:
                pipe.watch(_KEY)
                raw = pipe.hget(_KEY, name)
                if raw is None:
                    return None
                before = _decode(raw)
                edited = edit(before)
                pipe.multi()
                pipe.hset(_KEY, name, _encode(edited))
                try:
                    pipe.execute()
                except redis.WatchError:
                    continue
                return before
