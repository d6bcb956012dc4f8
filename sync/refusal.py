"""What SugarCRM refused to take: it is sent again when something about it changed, not for ever."""

import hashlib
from collections.abc import Mapping

import msgspec

from sync.canonical import Catalogue


class Refusal(msgspec.Struct, frozen=True, array_like=True):
    """Why a record was refused, and a fingerprint of what was sent then.

    `tries` is how many more times the same is sent, as it may be the server that was broken.
    """

    reason: str
    fingerprint: str
    tries: int = 0


def fingerprint(sent: Mapping[str, str], catalogue: Catalogue) -> str:
    """Tell what is to be sent, and to what fields, from anything else; no value can be read off.

    A field that became longer, got another option or another type is another field.
    """
    parts = [(name, sent[name], repr(catalogue.get(name))) for name in sorted(sent)]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:24]
