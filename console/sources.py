"""Sources: who may send events over HTTP, by a token or by signing."""

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hmac import compare_digest

import msgspec
import redis
import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from console import signing
from store.sources import Source, SourceTable

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_REMEMBERED = 1000  # tokens, so that a flood of them cannot fill the memory

log = structlog.get_logger(__name__)


class SourceError(ValueError):
    """A source cannot be added or changed; says why."""


class Sources:
    """The senders we know; one that is revoked is turned away within *recheck_s*."""

    def __init__(
        self, client: redis.Redis, keys: tuple[str, ...] = (), *, recheck_s: float = 5.0
    ) -> None:
        self._table, self._keys, self._recheck_s = SourceTable(client), keys, recheck_s
        self._welcome: dict[str, tuple[str, float]] = {}  # hash of token -> name, until when
        self._opened: dict[str, str] = {}  # encrypted secret -> secret: garbage costs no decryption

    def add(self, name: str, *, operator: bool = False) -> str:
        """Make a source and give its token, which nobody can read again.

        Raises:
            SourceError: the name is taken, or not of the allowed form.
        """
        if not _NAME.fullmatch(name):
            raise SourceError("name: up to 40 lower-case letters, digits and hyphens")
        token = f"{name}.{secrets.token_urlsafe(32)}"
        now = datetime.now(UTC).isoformat(timespec="seconds")
        source = Source(token_sha256=_sha256(token), created_at=now, operator=operator)
        if not self._table.add(name, source):
            raise SourceError(f"name: there is a source {name!r} already; revoke it first")
        return token

    def let_sign(self, name: str, secret: str = "") -> str:
        """Let a source sign its requests as Standard Webhooks says; give the secret to sign with.

        Raises:
            SourceError: no such source, no key to encrypt with, or the secret is not of its form.
        """
        secret = secret or _new_secret()
        if not _is_secret(secret):
            raise SourceError("secret: whsec_ and at least 24 bytes in base64")
        sealed = self._seal(secret)
        self._change(name, lambda source: msgspec.structs.replace(source, sealed_secret=sealed))
        return secret

    def reseal(self, anew: Callable[[str], str]) -> list[str]:
        """Replace each encrypted secret by what `anew` makes of it; give whose they are."""

        def resealed(source: Source) -> Source:
            new, old = (
                anew(sealed) if sealed else ""
                for sealed in (source.sealed_secret, source.old_sealed_secret)
            )
            return msgspec.structs.replace(source, sealed_secret=new, old_sealed_secret=old)

        signers = [name for name, source in self.all().items() if source.sealed_secret]
        return [name for name in signers if self._table.change(name, resealed)]

    def rotate(self, name: str) -> tuple[str, str]:
        """Give a source a new token, and a new signing secret if it signs ("" if not); the old
        ones are taken, too, until `drop_old`.

        Raises:
            SourceError: there is no such source, or its old ones were not dropped yet.
        """
        token, secret = f"{name}.{secrets.token_urlsafe(32)}", _new_secret()

        def rotated(source: Source) -> Source:
            if source.token_sha256 == _sha256(token):
                return source  # the connection broke after it was done
            if source.old_token_sha256:
                raise SourceError(f"name: {name!r} has two tokens already; drop the old one first")
            return msgspec.structs.replace(
                source,
                token_sha256=_sha256(token),
                sealed_secret=self._seal(secret) if source.sealed_secret else "",
                old_token_sha256=source.token_sha256,
                old_sealed_secret=source.sealed_secret,
            )

        before = self._change(name, rotated)
        return token, secret if before.sealed_secret else ""

    def drop_old(self, name: str) -> bool:
        """Turn away who still uses the old token or secret; False when there was none.

        Raises:
            SourceError: there is no such source.
        """
        none = {"old_token_sha256": "", "old_sealed_secret": ""}
        before = self._change(name, lambda source: msgspec.structs.replace(source, **none))
        self._welcome.clear()
        return bool(before.old_token_sha256)

    def _change(self, name: str, edit: Callable[[Source], Source]) -> Source:
        """Apply `edit` to a source as it stands, and give it as it was.

        Raises:
            SourceError: there is no such source.
        """
        before = self._table.change(name, edit)
        if before is None:
            raise SourceError(f"name: there is no source {name!r}")
        return before

    def all(self) -> dict[str, Source]:
        """Every source by name."""
        return self._table.all()

    def revoke(self, name: str) -> bool:
        """Turn a source away from now on; False when there was none."""
        self._welcome.clear()
        return self._table.remove(name)

    def operates(self, name: str) -> bool:
        """Whether a source may have work begun on whole lists."""
        source = self._table.get(name)
        return source is not None and source.operator

    def by_token(self, token: str) -> str | None:
        """The name of the source whose token this is."""
        if remembered := self.remembered(token):
            return remembered
        digest, name = _sha256(token), token.partition(".")[0]
        source = self._table.get(name) if _NAME.fullmatch(name) else None
        if source is None or not _is_token_of(source, digest):
            return None
        if len(self._welcome) >= _REMEMBERED:
            self._welcome.clear()
        self._welcome[digest] = name, time.monotonic() + self._recheck_s
        return name

    def remembered(self, token: str) -> str | None:
        """The name of the source whose token this is, where it was asked for a moment ago.

        It asks nobody, hence never blocks.
        """
        name, until = self._welcome.get(_sha256(token), ("", 0.0))
        return name if time.monotonic() < until else None

    def by_signature(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        """The name of the source that signed *body*, at most five minutes ago."""
        signers = [
            (name, sealed)
            for name, source in self.all().items()
            for sealed in (source.sealed_secret, source.old_sealed_secret)
            if sealed
        ]
        for name, sealed in signers:
            try:
                secret = self._open(name, sealed)
            except SourceError as problem:
                log.error("a source cannot be verified", source=name, problem=str(problem))  # noqa: TRY400  a traceback adds nothing
                continue
            if signing.holds(secret, body, headers):
                return name
        return None

    def _open(self, name: str, sealed: str) -> str:
        if secret := self._opened.get(sealed):
            return secret
        try:
            secret = self._box().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SourceError(f"no key in SUGARLOOP_KEY opens the secret of {name!r}") from None
        if len(self._opened) >= _REMEMBERED:
            self._opened.clear()
        self._opened[sealed] = secret
        return secret

    def _seal(self, secret: str) -> str:
        return self._box().encrypt(secret.encode()).decode()

    def _box(self) -> MultiFernet:
        if not self._keys:
            raise SourceError("no SUGARLOOP_KEY is set to encrypt signing secrets with")
        return MultiFernet([Fernet(key) for key in self._keys])


def _is_token_of(source: Source, digest: str) -> bool:
    """Both are compared, always: how long it takes tells nothing."""
    present = compare_digest(source.token_sha256, digest)
    old = compare_digest(source.old_token_sha256 or "none", digest)
    return present or old


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _is_secret(secret: str) -> bool:
    part = r"[A-Za-z0-9+/]"
    return bool(re.fullmatch(rf"whsec_{part}{{32,100}}={{0,2}}", secret))


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
