"""How products from Sugar 7 on differ, as data.

Sources are the published guides; a comment says where they leave room and what was chosen.
"""

import msgspec


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What one product does."""

    version: str
    flavor: str = "ENT"
    newest_minor: int | None  # of v11; None: only v10 is served
    bulk: bool = True
    bearer: bool = True  # takes "Authorization: Bearer", too
    refuses_unknown_platforms: bool = True
    sync_keys: bool = True
    user_links: bool = True  # records show assigned_user_link and such

    # The guides do not settle these; a client must live with either.
    own_ids: bool = True  # an id sent with a creation becomes the record's
    text_flags: bool = False  # email flags are "1" and "0" instead of booleans
    checks_required: bool = True  # a creation without a required field is refused
    lists_deleted: bool = True  # the argument `deleted` of lists is heeded
    bare_deleted: bool = True  # a deleted record is listed without its fields

    access_token_s: int = 3600
    refresh_token_s: int = 1_209_600
    default_page: int = 20
    max_page: int = 500  # more are never given, whatever was asked
    max_body_bytes: int = 8 * 1024 * 1024
    hook_delay_s: float = 0.5
    zone: str = "America/New_York"  # of users whose fixture names none


RECENT = Profile(version="14.2.0", newest_minor=26)

PROFILES: dict[str, Profile] = {
    "rest11": RECENT,
    "sugar-25.1": msgspec.structs.replace(RECENT, version="25.1.0", newest_minor=30),
    "sugar-10.2": msgspec.structs.replace(RECENT, version="10.2.0", newest_minor=10),
    "sugar-8.2": msgspec.structs.replace(
        RECENT, version="8.2.0", newest_minor=3, sync_keys=False, lists_deleted=False
    ),
    "sugar-7.9": Profile(
        version="7.9.4.0",
        newest_minor=None,
        bearer=False,
        refuses_unknown_platforms=False,
        sync_keys=False,
        text_flags=True,
        own_ids=False,
        lists_deleted=False,
        max_page=200,
    ),
    "sugar-7.2": Profile(
        version="7.2.2.1",
        newest_minor=None,
        bulk=False,
        bearer=False,
        refuses_unknown_platforms=False,
        sync_keys=False,
        user_links=False,
        text_flags=True,
        own_ids=False,
        checks_required=False,
        lists_deleted=False,
        max_page=200,
    ),
}
