"""People who asked to be forgotten: known by a keyed hash only, and not brought back."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable

import redis
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from sync.failure import Permanent
from sync.identity import normal_email

SUPPRESSED, PEPPER, CHANGES = "suppressed", "suppressed:pepper", "suppressed:changes"
_PEPPER_BYTES = 32


class PepperError(Permanent):
    """The secret that suppressed people are known by cannot be opened with the keys given."""


class Suppression:
    """Recognises forgotten people by address, and by the SugarCRM id that they had.

    The hashes are keyed by a secret of this installation, stored encrypted: whoever copies the
    store cannot try addresses against it. It outlives a change of SUGARLOOP_KEY.
    """

    def __init__(self, client: redis.Redis, keys: tuple[str, ...]) -> None:
        self._client, self._keys = client, keys
        self._pepper: bytes | None = None

    def add(self, address: str, crm_ids: Iterable[str] = ()) -> None:
        """Let nothing bring this person back.

        Raises:
            PepperError: there is no key, or not the right one.
        """
        marks = [self._mark(_address(address)), *(self._mark(_crm_id(i)) for i in crm_ids)]
        with self._client.pipeline(transaction=True) as pipe:
            pipe.sadd(SUPPRESSED, *marks)
            if marks[1:]:
                pipe.sadd(_had(marks[0]), *marks[1:])
            pipe.incr(CHANGES)
            pipe.execute()

    def changed(self) -> None:
        """Have whoever asked `among` up to now ask again before they write; and look again who has
        an address.
        """
        self._client.incr(CHANGES)

    def changes(self) -> str:
        """How often somebody was kept out, or came into a list by hand. Whoever asks `among`, or
        tells those who have an address, and then writes, reads this first and writes only if it
        is still the same: else the person would come back, or would not be told.
        """
        raw = self._client.get(CHANGES)
        return raw.decode() if raw else "0"

    def digest(self, text: str) -> str:
        """Enough to tell whether a text is another one, and nothing that leads back to it."""
        return self._mark(f"digest:{text}").hex()[:16]

    def allow(self, address: str) -> bool:
        """Let a person with this address come in again, also under the SugarCRM ids that they
        had; False when nobody was kept out.
        """
        if not self._client.exists(PEPPER):
            return False
        mark = self._mark(_address(address))
        had = self._client.smembers(_had(mark))
        with self._client.pipeline(transaction=True) as pipe:
            pipe.srem(SUPPRESSED, mark)
            if had:
                pipe.srem(SUPPRESSED, *had)
            pipe.delete(_had(mark))
            return bool(pipe.execute()[0])

    def among(self, addresses: Iterable[str] = (), crm_ids: Iterable[str] = ()) -> set[str]:
        """Which of these addresses (as given) and SugarCRM ids are of forgotten people."""
        asked = {a: _address(a) for a in addresses if a.strip()}
        asked |= {i: _crm_id(i) for i in crm_ids if i}
        if not asked or not self._client.exists(SUPPRESSED):
            return set()
        marks = [self._mark(name) for name in asked.values()]
        found = self._client.smismember(SUPPRESSED, marks)
        return {given for given, is_one in zip(asked, found, strict=True) if is_one}

    def rotate(self) -> bool:
        """Encrypt the secret with the newest key; False when there is none yet."""
        sealed = self._client.get(PEPPER)
        if sealed is None:
            return False
        self._client.set(PEPPER, self._box().rotate(sealed))
        return True

    def _mark(self, name: str) -> bytes:
        return hmac.new(self._secret(), name.encode(), hashlib.sha256).digest()

    def _secret(self) -> bytes:
        if self._pepper is None:
            box = self._box()
            fresh = box.encrypt(secrets.token_bytes(_PEPPER_BYTES))
            self._client.set(PEPPER, fresh, nx=True)
            try:
                self._pepper = box.decrypt(self._client.get(PEPPER))
            except InvalidToken:
                raise PepperError(
                    "no key in SUGARLOOP_KEY opens the list of the forgotten"
                ) from None
        return self._pepper

    def _box(self) -> MultiFernet:
        if not self._keys:
            raise PepperError("no SUGARLOOP_KEY is set to keep the list of the forgotten with")
        return MultiFernet([Fernet(key) for key in self._keys])


def _address(address: str) -> str:
    return f"address:{normal_email(address)}"


def _had(mark: bytes) -> str:
    """Where the marks of the SugarCRM ids of a person are kept, by the mark of their address."""
    return f"{SUPPRESSED}:{mark.hex()}"


def _crm_id(crm_id: str) -> str:
    return f"crm:{crm_id.casefold()}"
