import io
import json
import logging

import pytest
import structlog

from workers import logs
from workers.settings import Settings


@pytest.fixture(autouse=True)
def _quiet_after():
    handlers, level = logging.root.handlers, logging.root.level
    yield
    logging.root.handlers, logging.root.level = handlers, level
    structlog.reset_defaults()


def written(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_our_lines_and_those_of_libraries_are_json_without_secrets():
    stream = io.StringIO()
    logs.set_up(Settings(), stream)

    structlog.get_logger("ours").info("lead of ana@example.com", password="canary", n=3)
    logging.getLogger("dramatiq.worker").warning("token=%s of %s", "canary", "bo@example.com")

    ours, theirs = written(stream)
    assert ours["n"] == 3
    assert ours["level"] == "info"
    assert ours["event"].startswith("lead of email#")
    assert theirs["logger"] == "dramatiq.worker"
    assert theirs["event"].startswith("token=*** of email#")
    assert "canary" not in stream.getvalue()


def test_tracebacks_are_redacted_too():
    stream = io.StringIO()
    logs.set_up(Settings(), stream)

    try:
        int("password=canary")
    except ValueError:
        structlog.get_logger().exception("it broke")
        logging.getLogger("rq").exception("it broke")

    for line in written(stream):
        assert "ValueError: invalid literal" in line["exception"]
    assert "canary" not in stream.getvalue()


def test_the_level_applies_to_all():
    stream = io.StringIO()
    logs.set_up(Settings(log_level="warning"), stream)

    structlog.get_logger().info("said quietly")
    logging.getLogger("rq").info("said quietly")
    structlog.get_logger().warning("said loudly")

    assert [line["event"] for line in written(stream)] == ["said loudly"]


def test_people_get_plain_lines():
    stream = io.StringIO()
    logs.set_up(Settings(log_format="console"), stream)

    structlog.get_logger().info("run finished", list="a")

    assert "run finished" in stream.getvalue()
    assert "list=a" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
