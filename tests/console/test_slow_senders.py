"""Bodies that are sent half, or drip, over real sockets: nobody else waits for them."""

import asyncio
import base64
import json
import resource
import signal
import socket
import threading
import time
from contextlib import ExitStack, suppress

import pytest
import redis
import requests
from falcon.testing import ASGIConductor, TestClient

from console.bodies import Bodies
from console.hooks import PATH, _sha256
from console.intake import create_app
from console.sources import Sources
from events import Producer
from events.schema import ONE
from store.hints import Hints, HookAddress
from store.refused_events import RefusedEvents
from tests import serving

BODY_S = 2
SIGNATURE = "v1," + base64.b64encode(bytes(32)).decode()
EVENT = {
    "specversion": "1.0",
    "type": "PageVisited",
    "source": "site",
    "data": {"url": "/", "email": "ana@example.com"},
}


@pytest.fixture(scope="module")
def running(valkey, tmp_path_factory):
    """The web process and a token that lets one in."""
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
        token = Sources(client).add("site")
        folder = tmp_path_factory.mktemp("web")
        with serving.web(valkey.url, folder, SUGARLOOP_WEB_BODY_S=str(BODY_S)) as (_, address, _):
            yield address, token


def head(*lines, path="/events", length="Content-Length: 200000"):
    fixed = (f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: {ONE}", length)
    return ("\r\n".join([*fixed, *lines]) + "\r\n\r\n").encode()


def signed(at):
    return head("webhook-id: a", f"webhook-timestamp: {int(at)}", f"webhook-signature: {SIGNATURE}")


def of_source(token, **how):
    return head(f"Authorization: Bearer {token}", **how)


def opened(stack, address, request, count):
    host, port = address.removeprefix("http://").split(":")
    sockets = []
    for _ in range(count):
        one = stack.enter_context(socket.create_connection((host, int(port)), timeout=10))
        one.sendall(request)
        sockets.append(one)
    return sockets


def answer(one):
    """All that comes until the connection is closed."""
    parts = []
    with suppress(ConnectionResetError):
        while part := one.recv(65536):
            parts.append(part)
    return b"".join(parts).decode()


def drip(sockets, what, over):
    """A bit more to each of them, again and again."""
    while not over.wait(0.2):
        for one in sockets:
            with suppress(OSError):
                one.sendall(what)


@pytest.mark.parametrize(
    ("request_of", "more"),
    [
        pytest.param(lambda _: signed(time.time()) + b"{", b" ", id="signed_by_nobody"),
        pytest.param(lambda token: of_source(token) + b"{", b" ", id="of_a_source"),
        pytest.param(of_source, b"", id="of_a_source_without_a_byte"),
        pytest.param(
            lambda token: of_source(token, length="Transfer-Encoding: chunked"),
            b"1\r\n{\r\n",
            id="of_a_source_in_chunks",
        ),
    ],
)
def test_half_sent_bodies_keep_nobody_waiting_and_end_by_themselves(running, request_of, more):
    address, token = running
    over = threading.Event()
    with ExitStack() as stack:
        sockets = opened(stack, address, request_of(token), 100)
        dripping = threading.Thread(target=drip, args=(sockets, more, over))
        began = time.monotonic()
        dripping.start()
        stack.callback(lambda: (over.set(), dripping.join()))

        for path in ("/healthz", "/readyz", "/metrics", "/healthz"):
            assert requests.get(address + path, timeout=BODY_S / 2).status_code == 200
        kept = requests.post(
            f"{address}/events",
            json=EVENT | {"id": str(began)},
            headers={"Authorization": f"Bearer {token}", "Content-Type": ONE},
            timeout=BODY_S / 2,
        )
        assert kept.status_code == 202
        assert time.monotonic() - began < BODY_S, "too slow to show that nobody waited"

        ends = [answer(one) for one in sockets]
        assert time.monotonic() - began < 4 * BODY_S

    told = [end for end in ends if end]
    assert told
    assert all(end.startswith("HTTP/1.1 408 ") for end in told)
    head_, _, body = told[0].partition("\r\n\r\n")
    assert "connection: close" in head_.lower()
    assert json.loads(body)["detail"] == f"Send the whole body within {BODY_S} s."


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param(signed(1), 401, id="signed_long_ago"),
        pytest.param(signed(2e9), 401, id="signed_in_the_future"),
        pytest.param(
            head("webhook-id: a", f"webhook-timestamp: {int(time.time())}", "webhook-signature: x"),
            401,
            id="no_signature",
        ),
        pytest.param(of_source("site.guess"), 401, id="unknown_token"),
        pytest.param(head(), 401, id="nobody"),
        pytest.param(head(path="/hooks/sugarcrm/guess"), 404, id="unknown_hook"),
    ],
)
def test_who_cannot_be_known_is_answered_before_the_body_came(running, request_, status):
    address, _ = running
    began = time.monotonic()
    with ExitStack() as stack:
        (one,) = opened(stack, address, request_, 1)
        said = one.recv(65536).decode()

    assert said.startswith(f"HTTP/1.1 {status} ")
    assert time.monotonic() - began < BODY_S


def test_two_thousand_connections_keep_nobody_out(running):
    address, token = running
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 5000:
        pytest.skip("this machine lets nobody open so many")
    resource.setrlimit(resource.RLIMIT_NOFILE, (5000, hard))
    try:
        with ExitStack() as stack:
            opened(stack, address, of_source(token) + b"{", 1000)
            opened(stack, address, b"POST /events HT", 1000)

            for path in ("/healthz", "/readyz"):
                assert requests.get(address + path, timeout=BODY_S).status_code == 200
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_what_has_no_room_is_told_to_come_back_and_leaves_its_room_to_others(redis_client):
    token = Sources(redis_client).add("site")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": ONE}
    body = json.dumps(EVENT | {"id": "1"})
    app = create_app(redis_client, bodies=Bodies(room_bytes=len(body)))
    client = TestClient(app)

    answers = [
        client.simulate_post("/events", body=sent, headers=headers)
        for sent in (body, body + " ", body)
    ]

    assert [answer.status_code for answer in answers] == [202, 503, 202]
    assert answers[1].headers["retry-after"] == "5"


def hook_request(redis_client):
    HookAddress(redis_client).put("http://127.0.0.1", _sha256("secret"), "2026-01-01")
    hook = {"bean": "Lead", "data": {"id": "lead-1"}}
    return {"path": f"{PATH}/secret", "body": json.dumps(hook)}


def event_request(redis_client):
    token = Sources(redis_client).add("site")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": ONE}
    return {"path": "/events", "body": json.dumps(EVENT | {"id": "1"}), "headers": headers}


@pytest.mark.parametrize(
    ("request_of", "keeping"),
    [
        pytest.param(event_request, (Producer, "publish_many"), id="an_event"),
        pytest.param(hook_request, (Hints, "publish"), id="a_hook"),
    ],
)
def test_a_body_has_its_room_until_it_is_kept(redis_client, monkeypatch, request_of, keeping):
    request_ = request_of(redis_client)
    hangs, answers_again = threading.Event(), threading.Event()
    keep = getattr(*keeping)

    def keep_at_last(*args):
        hangs.set()
        assert answers_again.wait(10)
        return keep(*args)

    monkeypatch.setattr(*keeping, keep_at_last)
    app = create_app(redis_client, bodies=Bodies(room_bytes=len(request_["body"])))

    async def three():
        async with ASGIConductor(app) as client:
            first = asyncio.create_task(client.simulate_post(**request_))
            assert await asyncio.to_thread(hangs.wait, 10)
            try:
                second = await asyncio.wait_for(client.simulate_post(**request_), 5)
            finally:
                answers_again.set()
            return await first, second, await client.simulate_post(**request_)

    answers = asyncio.run(three())

    assert [answer.status_code for answer in answers] == [202, 503, 202]
    assert answers[1].headers["retry-after"] == "5"


def test_who_finds_no_room_is_told_so_though_the_store_hangs(redis_client, monkeypatch):
    request_ = event_request(redis_client)
    app = create_app(redis_client, bodies=Bodies(room_bytes=len(request_["body"])))
    client = TestClient(app)
    assert client.simulate_post(**request_).status_code == 202
    noted = []
    monkeypatch.setattr(RefusedEvents, "note", lambda *note: noted.append(note))

    answer = client.simulate_post(**request_ | {"body": request_["body"] + " "})

    assert (answer.status_code, noted) == (503, [])


def test_a_body_that_comes_slowly_but_in_time_is_taken(running):
    address, token = running
    body = json.dumps(EVENT | {"id": "slow"}).encode()
    with ExitStack() as stack:
        request = of_source(token, length=f"Content-Length: {len(body)}")
        (one,) = opened(stack, address, request, 1)
        for start in range(0, len(body), 40):
            time.sleep(0.1)
            one.sendall(body[start : start + 40])
        said = one.recv(65536).decode()

    assert said.startswith("HTTP/1.1 202 ")


def test_a_sender_that_vanishes_half_way_leaves_nothing(running, valkey):
    address, token = running
    body = json.dumps(EVENT | {"id": "vanished"}).encode()
    with redis.Redis.from_url(valkey.url) as client:
        before = client.xlen("behaviour")
        with ExitStack() as stack:
            request = of_source(token, length=f"Content-Length: {len(body) + 1}")
            opened(stack, address, request + body, 20)
        time.sleep(0.3)

        assert requests.get(f"{address}/healthz", timeout=BODY_S / 2).status_code == 200
        assert client.xlen("behaviour") == before


def test_half_sent_bodies_hold_up_no_stop(valkey, tmp_path):
    with serving.web(valkey.url, tmp_path, SUGARLOOP_WEB_BODY_S=str(BODY_S)) as running:
        process, address, _ = running
        with ExitStack() as stack:
            opened(stack, address, signed(time.time()) + b"{", 8)
            process.send_signal(signal.SIGTERM)

            assert process.wait(BODY_S + 5) == 0
