"""The field catalogue of a SugarCRM module, and standard field names drawn from it."""

from typing import Literal

import msgspec

Module = Literal["Leads", "Contacts"]


class FieldDef(msgspec.Struct, frozen=True, kw_only=True):
    """One field of Leads or Contacts as the server describes it.

    `length` is in characters, None where the server does not say. `options` maps the stored
    key to its label, in the server's order, None for a field that is no enum.
    """

    name: str
    label: str
    type: str
    length: int | None = None
    options: dict[str, str] | None = None
    required: bool = False
    custom: bool = False
    writable: bool = True
