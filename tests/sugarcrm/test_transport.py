"""Bad answers: each becomes the right error, in time, without a secret in its text."""

import gzip
import hashlib
import io
import time
import traceback

import pytest

from sugarcrm.errors import (
    AmbiguousError,
    BusyError,
    CrmError,
    NotSugarError,
    RefusedError,
    SessionLostError,
)
from sugarcrm.lost import LostAnswerError, ServerFailedError, UnreadableError
from sugarcrm.secret import Secret
from sugarcrm.transport import Transport
from tests.sugarcrm.wire import answer, reset, says, wire_server

DEADLINE_S = 0.6
SECRETS = ("s3ssion-canary", "p4ssword-canary", "qu3ry-canary", "v4lue-canary")


@pytest.fixture
def server():
    with wire_server() as running:
        yield running


@pytest.fixture
def transport(server):
    client = Transport(server.url, deadline_s=DEADLINE_S, connections=2)
    yield client
    client.close()


def post(transport, server, script, *, writes=False, method="get_entry_list"):
    server.scripts[method] = script
    args = [Secret("s3ssion-canary"), {"p": Secret("p4ssword-canary")}, "qu3ry-canary"]
    args = [*args, "v4lue-canary"]
    return transport.post("v4_1", method, args, dict[str, str], writes=writes)


def drip(head: bytes, piece: bytes, times: int, every_s: float):
    def script(connection, _form):
        connection.sendall(head)
        for _ in range(times):
            connection.sendall(piece)
            time.sleep(every_s)

    return script


GZIP = "Content-Encoding: gzip\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
JSON_BOMB = b'"' + b"a" * (40 * 1024 * 1024) + b'"'

LATE = {
    "silence": drip(b"", b"", 1, 1),
    "dripping status": drip(b"H", b"T", 100, 0.1),
    "dripping headers": drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 100, 0.1),
    "dripping body": drip(HEAD, b" ", 100, 0.1),
}
CUT = {
    "reset": reset,
    "shorter than promised": answer(b'{"id":"x"}', length=100),
    "cut gzip": answer(gzip.compress(b"[1]" * 999)[:-9], headers=GZIP),
    "no gzip": answer(b"[]", headers=GZIP),
    "not even HTTP": answer(b"", status="\x00\x00"),
    "cut JSON": answer(b'{"entry_list":[{"id":"x"'),
    "502": answer(b"<html>", status="502 Bad Gateway"),
    "504": answer(b"", status="504 Gateway Timeout"),
    "login page": answer(b"<!DOCTYPE html><html>...", headers="Content-Type: text/html\r\n"),
    "text": answer(b"maintenance"),
    "nothing": answer(b""),
    "class dump": answer(b"<pre>/**\n * ..."),
    "bad utf-8": answer(b'{"id":"\xff"}'),
    "deep": answer(b"[" * 100_000 + b"]" * 100_000),
}
GAVE_UP = {
    "empty 500": answer(b"", status="500 Internal Server Error"),
    "empty 500 called gzip": answer(b"", status="500 E", headers=GZIP),
    "500 with text": answer(b"Database failure. Please refer to", status="500 Error"),
    "database failure": answer(b"Database failure. Please refer to sugarcrm.log for details."),
    "raw SQL of 6.0": answer(b" Query Failed:INSERT into leads set id='v4lue-canary'::MySQL"),
    "list query of 6.0": answer(b"Error retrieving Lead list:  Query Failed: SELECT  leads.*"),
    "PHP fatal": answer(b"<br />\n<b>Fatal error</b>:  Uncaught TypeError"),
    "plain PHP fatal": answer(b"PHP Fatal error:  Uncaught TypeError"),
}


@pytest.mark.parametrize("case", [*LATE, *CUT])
def test_a_read_without_an_answer_can_be_tried_again(transport, server, case):
    started = time.monotonic()
    with pytest.raises(LostAnswerError):
        post(transport, server, (LATE | CUT)[case])
    assert time.monotonic() - started < DEADLINE_S + 1


@pytest.mark.parametrize("case", [*LATE, *CUT])
def test_a_write_without_an_answer_may_have_happened(transport, server, case):
    started = time.monotonic()
    with pytest.raises(AmbiguousError) as lost:
        post(transport, server, (LATE | CUT)[case], writes=True)
    assert not isinstance(lost.value, ServerFailedError)
    assert time.monotonic() - started < DEADLINE_S + 1


@pytest.mark.parametrize("case", GAVE_UP)
def test_a_server_that_gave_up(transport, server, case):
    with pytest.raises(BusyError):
        post(transport, server, GAVE_UP[case])
    with pytest.raises(ServerFailedError):
        post(transport, server, GAVE_UP[case], writes=True)


def test_a_large_answer_is_not_read_to_its_end(transport, server):
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        file.write(JSON_BOMB)
    for script in (
        answer(packed.getvalue(), headers=GZIP),
        answer(JSON_BOMB),
    ):
        with pytest.raises(LostAnswerError, match="larger than"):
            post(transport, server, script)
    with pytest.raises(AmbiguousError, match="larger than"):
        post(transport, server, answer(JSON_BOMB), writes=True)


@pytest.mark.parametrize("status", ["429 Too Many", "503 Unavailable"])
def test_a_busy_server_says_when_to_come_back(transport, server, status):
    with pytest.raises(BusyError) as busy:
        post(transport, server, answer(b"", status=status, headers="Retry-After: 17\r\n"))
    assert busy.value.retry_in_s == 17
    with pytest.raises(BusyError) as busy:
        post(transport, server, answer(b"", status=status, headers="Retry-After: soon\r\n"))
    assert busy.value.retry_in_s == 5


def test_redirects_are_told_and_not_followed(transport, server):
    to = f"Location: {server.url}/index.php?module=Configurator&action=AdminWizard\r\n"
    moved = answer(b"", status="302 Found", headers=to)
    with pytest.raises(NotSugarError, match="wizard"):
        post(transport, server, moved, method="login")
    with pytest.raises(NotSugarError, match="redirected"):
        post(transport, server, moved)
    assert len(server.seen) == 2


def test_no_service_at_the_address(transport, server):
    with pytest.raises(NotSugarError):
        post(transport, server, answer(b"Not Found", status="404 Not Found"))
    with pytest.raises(RefusedError):
        post(transport, server, answer(b"", status="403 Forbidden"))


def test_nobody_listens():
    client = Transport("http://127.0.0.1:1", deadline_s=DEADLINE_S, connections=1)
    with pytest.raises(BusyError, match="could not connect"):
        client.post("v4_1", "set_entry", [], object, writes=True)
    client.close()


def test_a_name_that_nobody_has_is_told_from_a_server_that_is_away():
    client = Transport("https://sugarloop.invalid", deadline_s=10, connections=1)
    with pytest.raises(BusyError, match="nothing is known here under the server's name"):
        client.post("v4_1", "set_entry", [], object, writes=True)
    client.close()


def test_a_name_that_leads_to_a_metadata_service():
    client = Transport("http://169.254.169.254", deadline_s=DEADLINE_S, connections=1)
    with pytest.raises(NotSugarError, match="link-local"):
        client.post("v4_1", "get_server_info", [], object)
    client.close()


def test_json_in_html_and_in_gzip_is_read(transport, server):
    assert post(transport, server, says({"id": "x"})) == {"id": "x"}
    packed = gzip.compress(b'{"id":"x"}')
    script = answer(packed, headers=GZIP)
    assert post(transport, server, script) == {"id": "x"}
    noise = "".join(hashlib.sha256(b"%d" % n).hexdigest() for n in range(40_000))
    text = noise + "a" * 3_000_000
    script = answer(gzip.compress(f'{{"id":"{text}"}}'.encode()), headers=GZIP)
    assert post(transport, server, script) == {"id": text}
    assert post(transport, server, answer(b"null")) is None


def test_an_answer_of_another_shape(transport, server):
    with pytest.raises(NotSugarError):
        post(transport, server, says({"id": [1]}))
    with pytest.raises(AmbiguousError):
        post(transport, server, says([1]), writes=True)


def test_faults_in_a_success(transport, server):
    with pytest.raises(SessionLostError):
        post(transport, server, says({"name": "Invalid Session ID", "number": 11}))
    with pytest.raises(RefusedError):
        post(transport, server, says({"name": "invalid_call", "number": "-1"}))


def test_cookies_are_not_kept(transport, server):
    script = answer(b"{}", headers="Set-Cookie: PHPSESSID=abc; path=/\r\n")
    post(transport, server, script)
    post(transport, server, script)
    assert all("cookie" not in head.lower() for _, head, _, _ in server.seen)


def test_secrets_go_into_the_body_only(transport, server):
    post(transport, server, says({}))
    line, head, form, _ = server.seen[0]
    assert line == "POST /service/v4_1/rest.php HTTP/1.1"
    assert not any(secret in head for secret in SECRETS)
    assert all(secret in form["rest_data"] for secret in SECRETS)


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("case", [*LATE, *CUT, *GAVE_UP])
def test_errors_hold_no_secrets(transport, server, case, writes):
    with pytest.raises(CrmError) as error:
        post(transport, server, (LATE | CUT | GAVE_UP)[case], writes=writes)
    told = "".join(traceback.format_exception(error.value)) + repr(error.value)
    assert not any(secret in told for secret in SECRETS)
    assert error.value.__context__ is None
    frames = traceback.TracebackException.from_exception(error.value, capture_locals=True)
    ours = "".join(str(f.locals) for f in frames.stack if "transport.py" in f.filename and f.locals)
    assert "canary" in ours  # the record's values are there, but no session and no password
    assert not any(secret in ours for secret in SECRETS[:2])


def test_a_page_is_told_from_a_broken_answer(transport, server):
    with pytest.raises(UnreadableError):
        post(transport, server, CUT["login page"])
    with pytest.raises(LostAnswerError) as lost:
        post(transport, server, CUT["reset"])
    assert not isinstance(lost.value, UnreadableError)
