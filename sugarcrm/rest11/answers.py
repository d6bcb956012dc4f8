"""The shapes of answers of rest/v10 and v11; whatever else they hold is left aside."""

import msgspec

from sugarcrm.secret import Secret

Json = str | int | float | bool | list[msgspec.Raw] | dict[str, msgspec.Raw] | None
Record = dict[str, msgspec.Raw]  # one record, its values not read yet


class Tokens(msgspec.Struct, frozen=True):
    """What a login or a refresh gives."""

    access_token: str
    refresh_token: str | None = None

    def __repr__(self) -> str:
        return "Tokens(***)"

    def secret(self) -> "Token":
        return Token(Secret(self.access_token), Secret(self.refresh_token or ""))


class Token(msgspec.Struct, frozen=True):
    """One access token and what renews it; a refresh token is good for one renewal."""

    access: Secret
    refresh: Secret


class Problem(msgspec.Struct, frozen=True):
    """What comes with an error status; the texts beside the label may hold what was sent."""

    error: str | int | None = None


class CurrentUser(msgspec.Struct, frozen=True):
    id: str
    user_name: str
    type: str = ""
    is_admin: bool | int | str = False


class Me(msgspec.Struct, frozen=True):
    current_user: CurrentUser


class ServerInfoAnswer(msgspec.Struct, frozen=True):
    version: str
    flavor: str = ""
    gmt_time: str | None = None


class AboutServer(msgspec.Struct, frozen=True):
    server_info: ServerInfoAnswer


class RecordList(msgspec.Struct, frozen=True):
    """A page; `next_offset` is -1 at the end."""

    records: list[Record]
    next_offset: int


class RecordCount(msgspec.Struct, frozen=True):
    record_count: int | str


class WireField(msgspec.Struct, frozen=True):
    """One field of the metadata; `len` may be text and `options` names a list of the server."""

    name: str = ""
    type: str = ""
    dbType: str = ""  # noqa: N815  the server's spelling
    label: str | None = None
    len: str | int | None = None
    options: str | dict[str, msgspec.Raw] | list[msgspec.Raw] | None = None
    required: bool | int | str | None = False
    readonly: bool | int | str | None = False
    calculated: bool | int | str | None = False
    source: str | None = None
    id_name: str | None = None


class ModuleMetadata(msgspec.Struct, frozen=True):
    fields: dict[str, msgspec.Raw] | list[msgspec.Raw] = {}


class Metadata(msgspec.Struct, frozen=True):
    modules: dict[str, ModuleMetadata]


class BulkItem(msgspec.Struct, frozen=True):
    """The answer to one request of many, in its place."""

    contents: msgspec.Raw = msgspec.Raw(b"null")
    status: int = 0
