"""Logs: one JSON object a line, or pretty on a terminal; no secrets, no addresses."""

import logging
import sys
from typing import Any, Literal, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from workers.redaction import Redaction
from workers.settings import Settings

_OURS = ("event", "level", "logger", "timestamp")  # written by us, not by callers


def set_up(settings: Settings, stream: TextIO | None = None) -> Redaction:
    """Send all logs, those of libraries too, to standard error; give the redaction in use."""
    redaction = Redaction("".join(settings.keys).encode())
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _Redact(redaction),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer(settings.log_format, stream),
            ],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(settings.log_level.upper())
    # It writes headers that it cannot parse into its warnings, as a server sent them.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    return redaction


class _Redact:
    """The processor after which nothing secret is left in a log line."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        kept = {name: value for name, value in event.items() if name.startswith("_")}
        said = {name: value for name, value in event.items() if name not in kept}
        ours = {name: str(said.pop(name)) for name in _OURS if name in said}
        ours["event"] = self._redaction.text(ours.get("event", ""))
        return {**ours, **self._redaction.fields(said), **kept}


def _renderer(form: Literal["auto", "json", "console"], stream: TextIO) -> Processor:
    if form == "console" or (form == "auto" and stream.isatty()):
        return structlog.dev.ConsoleRenderer(colors=stream.isatty())
    return structlog.processors.JSONRenderer(serializer=_json)


def _json(event: Any, **_: Any) -> str:
    return msgspec.json.encode(event).decode()
