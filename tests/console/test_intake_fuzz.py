"""Whatever is sent to the intake, by its own contract or against it: no 5xx, and it goes on."""

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings

from console.sources import Sources
from events.schema import ONE, asyncapi
from tests.serving import web

CORPUS = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"\x00" * 1000, id="zeros"),
    pytest.param(b"\xef\xbb\xbf{}", id="a_byte_order_mark"),
    pytest.param(b"[" * 200_000, id="deep_arrays"),
    pytest.param(b'{"a":' * 50_000, id="deep_objects"),
    pytest.param(b"[" + b"{}," * 80_000 + b"{}]", id="many_empty_objects"),
    pytest.param(b'{"id":"' + b"a" * 250_000 + b'"}', id="a_long_id"),
    pytest.param(b'{"id": 1e999999}', id="a_number_without_end"),
    pytest.param(b'{"id": ' + b"9" * 100_000 + b"}", id="a_long_number"),
    pytest.param(b'{"id":"\\ud800"}', id="half_a_surrogate_pair"),
    pytest.param(b'{"specversion":"1.0","id":"1","id":"2"}', id="a_name_twice"),
    pytest.param(b"\xff\xfe{\x00}\x00", id="utf_16"),
    pytest.param(b"NaN", id="no_number"),
    pytest.param(b'"event"', id="a_text"),
]


def contract():
    """The intake as OpenAPI, from the same types as the AsyncAPI document."""
    schemas = asyncapi()["components"]["schemas"]
    one = {"oneOf": [{"$ref": f"#/components/schemas/{n}"} for n in schemas if n.endswith("Event")]}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sugarloop", "version": "1"},
        "paths": {
            "/events": {
                "post": {
                    "requestBody": {"required": True, "content": {ONE: {"schema": one}}},
                    "responses": {"202": {"description": "kept"}, "400": {"description": "no"}},
                }
            }
        },
        "components": {"schemas": schemas},
    }


schema = schemathesis.openapi.from_dict(contract())


@pytest.fixture(scope="module")
def intake(valkey, tmp_path_factory):
    """A running web process: its address, and headers that let one in."""
    import redis

    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
        token = Sources(client).add("fuzz", operator=True)
    with web(valkey.url, tmp_path_factory.mktemp("web")) as (_, address, _log):
        yield address, {"Authorization": f"Bearer {token}"}


@schema.parametrize()
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.filter_too_much,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)
def test_what_the_contract_describes_or_nearly_is_no_5xx(case, intake):
    address, headers = intake

    answer = case.call(base_url=address, headers=headers)

    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("content_type", [ONE, "application/cloudevents-batch+json", "text/plain"])
@pytest.mark.parametrize("body", CORPUS)
def test_bad_bodies_are_refused_by_the_sender_s_fault(intake, body, content_type):
    address, headers = intake

    answer = requests.post(
        f"{address}/events", data=body, headers=headers | {"Content-Type": content_type}, timeout=10
    )

    assert 400 <= answer.status_code < 500
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_and_it_still_takes_events(intake):
    address, headers = intake
    event = {"specversion": "1.0", "type": "PageVisited", "source": "s", "id": "after"}
    body = event | {"data": {"url": "/", "email": "ana@example.com"}}

    answer = requests.post(
        f"{address}/events", json=body, headers=headers | {"Content-Type": ONE}, timeout=10
    )

    assert answer.status_code == 202, answer.text
