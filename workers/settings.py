"""Every knob, read once from the environment; nothing starts with a setting that is wrong."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote_plus

import msgspec
from cryptography.fernet import Fernet

from sync.schedule import ScheduleError, parse_schedule

PREFIX = "SUGARLOOP_"
KEY_NAME, ADDRESS_NAME = "key", "redis.url"  # files that a local installation leaves in its home
CRM_PASSWORD = "SUGARLOOP_CRM_PASSWORD"  # noqa: S105  its name; read by `connector activate` only, never kept
_KEY_FILE = "SUGARLOOP_KEY_FILE"
_SECRET = frozenset({"keys", "redis_url"})
_VARIABLES = {"redis_url": "REDIS_URL", "keys": "SUGARLOOP_KEY"}

Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class SettingsError(ValueError):
    """Some variables are wrong or unknown; lists every one of them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Each field is the variable SUGARLOOP_<FIELD>, save REDIS_URL and SUGARLOOP_KEY.

    `keys` are Fernet keys, the newest first, for what is stored encrypted. `crm_pool` counts for
    one process, `crm_calls_at_once` and `crm_calls_per_minute` (0: no limit) for all together.
    """

    redis_url: str = "redis://127.0.0.1:6379/0"
    home: str = ".sugarloop"
    keys: tuple[str, ...] = ()
    web_host: str = "127.0.0.1"
    web_port: Port = 8080
    web_body_s: Positive = 10.0
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"
    default_zone: str = "UTC"

    heartbeat_s: Annotated[float, msgspec.Meta(ge=1)] = 10.0
    janitor_every_s: Positive = 1.0
    max_deaths: Count = 5
    max_retries: Count = 20
    retry_longest_s: Positive = 3600.0
    tick_poll_s: Positive = 1.0
    schedules_reread_s: Positive = 5.0
    housekeeping_every_s: Positive = 3600.0
    journal_keep_days: Count = 30
    history_keep_days: Count = 90
    redis_timeout_s: Positive = 5.0

    lease_s: Positive = 15.0
    crm_deadline_s: Positive = 10.0
    crm_pool: Count = 2
    crm_calls_at_once: Count = 8
    crm_calls_per_minute: Annotated[int, msgspec.Meta(ge=0)] = 0
    allow_insecure_crm: bool = False
    page_rows: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000
    push_rows: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 50


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read all settings; what a local installation left in its home fills the gaps.

    Raises:
        SettingsError: names every variable at fault, never the value of a secret.
    """
    environ = os.environ if environ is None else environ
    problems: list[str] = _unknown(environ)
    values: dict[str, object] = {}
    for field in msgspec.structs.fields(Settings):
        text = _text(field.name, environ, problems)
        if text is not None:
            values |= _convert(field, text, problems)
    settings = Settings(**values)  # type: ignore[arg-type]  # each value was converted to its type
    problems += _misfits(settings)
    if problems:
        raise SettingsError(problems)
    return settings


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return _VARIABLES.get(name, PREFIX + name.upper())


def shown(settings: Settings) -> dict[str, object]:
    """All settings by variable, secrets masked, for people to read."""
    plain = {name: getattr(settings, name) for name in Settings.__struct_fields__}
    plain["keys"] = f"{len(settings.keys)} set" if settings.keys else "none"
    plain["redis_url"] = _without_password(settings.redis_url)
    return {variable(name): value for name, value in plain.items()}


def _without_password(url: str) -> str:
    """An address of Redis for people to read: a password may stand before @, or be an option."""
    scheme, _, rest = url.partition("://")
    place, asked, options = rest.partition("?")
    if "@" in options:  # a password with ? or @ in it: where it ends, nobody can tell
        return f"{scheme}://***"
    _, at, host = place.rpartition("@")
    shown = "&".join(map(_option_shown, options.split("&")))
    return f"{scheme}://{'***@' if at else ''}{host}{asked}{shown}"


def _option_shown(option: str) -> str:
    name, equals, _ = option.partition("=")
    if not option or (equals and "password" not in unquote_plus(name).lower()):
        return option
    return f"{name}=***" if equals else "***"


def _unknown(environ: Mapping[str, str]) -> list[str]:
    known = [*map(variable, Settings.__struct_fields__), _KEY_FILE, CRM_PASSWORD]
    problems = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            problems.append(f"{name}: unknown" + (f"; did you mean {near[0]}?" if near else ""))
    return problems


def _text(name: str, environ: Mapping[str, str], problems: list[str]) -> str | None:
    text = environ.get(variable(name))
    if text is not None:
        return text
    home = Path(environ.get(variable("home"), Settings.__struct_defaults__[1]))
    left = {"redis_url": ADDRESS_NAME, "keys": KEY_NAME}.get(name)
    if name == "keys" and (named := environ.get(_KEY_FILE)) is not None:
        return _of_file(Path(named or home / KEY_NAME), _KEY_FILE, problems)
    if left and (home / left).is_file():
        return _of_file(home / left, f"{variable('home')} ({home / left})", problems)
    return None


def _of_file(path: Path, named: str, problems: list[str]) -> str | None:
    """What a file holds; None, and a problem, when it cannot be read."""
    try:
        return path.read_text().strip()
    except OSError as problem:
        problems.append(f"{named}: cannot be read ({problem.strerror})")
    except UnicodeDecodeError:
        problems.append(f"{named}: cannot be read, as it is not text")
    return None


def _convert(field: msgspec.structs.FieldInfo, text: str, problems: list[str]) -> dict[str, object]:
    if field.name == "keys":
        return {"keys": _keys(text, problems)}
    try:
        return {field.name: msgspec.convert(text, field.type, strict=False)}
    except msgspec.ValidationError as problem:
        value = "" if field.name in _SECRET else f" (it is {text!r})"
        problems.append(f"{variable(field.name)}: {_lower_first(str(problem))}{value}")
        return {}


def _keys(text: str, problems: list[str]) -> tuple[str, ...]:
    keys = tuple(text.replace(",", " ").split())
    for number, key in enumerate(keys, 1):
        try:
            Fernet(key)
        except ValueError:
            problems.append(
                f"{variable('keys')}: key {number} of {len(keys)} is not a Fernet key"
                " (32 bytes in URL-safe base64)"
            )
    return keys


def _misfits(settings: Settings) -> list[str]:
    problems = []
    if not settings.redis_url.startswith(("redis://", "rediss://", "unix://")):
        problems.append("REDIS_URL: must begin with redis://, rediss:// or unix://")
    if settings.crm_deadline_s >= settings.lease_s:
        # A write must end before its lease does, or another worker may write the same record.
        problems.append(
            f"{variable('crm_deadline_s')} ({settings.crm_deadline_s:g})"
            f" must be less than {variable('lease_s')} ({settings.lease_s:g})"
        )
    if settings.janitor_every_s * 3 > settings.heartbeat_s:
        # It calls a worker dead only after watching it without a gap (see store/janitor.lua).
        problems.append(
            f"{variable('janitor_every_s')} ({settings.janitor_every_s:g})"
            f" must be at most a third of {variable('heartbeat_s')} ({settings.heartbeat_s:g})"
        )
    try:
        parse_schedule("daily 00:00", settings.default_zone)
    except ScheduleError as problem:
        problems.append(f"{variable('default_zone')}: {str(problem).removeprefix('zone: ')}")
    return problems


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
