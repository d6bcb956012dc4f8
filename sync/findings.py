"""What a look at one SugarCRM server has shown of its habits."""

from typing import Literal

import msgspec

FourBytes = Literal["kept", "replaced", "cut"]
TooLong = Literal["cut", "kept", "refused"]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """None where it could not be found out; `unknown` then says why, by the field's name.

    `text_kept`: quotes, &, <, > and letters of other languages come back as they were sent.
    `entities_kept`: so does text such as "&lt;". `four_bytes`: what becomes of emoji and other
    characters of four bytes. `too_long`: what becomes of text longer than its field.
    `finds_by_email`: people can be looked up by address. `ordered_apis`: the API versions that
    sort. `keyset`: rows behind an id can be asked for. `clock_ahead_s`: its clock less ours.
    `page_rows`: the most rows that a page may have, as far as was tried. `left_behind`: ids of
    scratch leads that could not be removed. `takes_ids`: records are created under the ids that
    they are sent with.
    """

    found_at: str
    batch_writes: bool | None = None
    takes_ids: bool | None = None
    text_kept: bool | None = None
    entities_kept: bool | None = None
    four_bytes: FourBytes | None = None
    too_long: TooLong | None = None
    finds_by_email: bool | None = None
    ordered_apis: tuple[str, ...] | None = None
    keyset: bool | None = None
    opt_out_updates: bool | None = None
    clock_ahead_s: float | None = None
    page_rows: int | None = None
    left_behind: tuple[str, ...] = ()
    unknown: dict[str, str] = {}
