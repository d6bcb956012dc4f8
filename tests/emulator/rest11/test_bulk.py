"""Many requests in one."""

import json

import pytest

from tests.emulator.rest11.asker import refusal


def item(url, method="GET", data=None, **more):
    return {"url": url, "method": method} | ({"data": data} if data is not None else {}) | more


def test_each_request_has_an_answer_in_its_place(crm):
    answers = crm.post(
        "bulk",
        {
            "requests": [
                item("v11/Leads", "POST", json.dumps({"last_name": "Text"})),
                item("v11/Leads/no-such-id"),
                item("v11/Leads", "POST", {"last_name": "Object"}),
                item("v11/Leads", "POST", {}),
                item("v11/NoSuchModule"),
            ]
        },
    )

    assert [a["status"] for a in answers] == [200, 404, 200, 422, 404]
    assert [a["status_text"] for a in answers][:2] == ["OK", "Not Found"]
    assert [a["contents"].get("last_name") for a in answers][:3] == ["Text", None, "Object"]
    assert answers[1]["contents"]["error"] == "not_found"
    assert answers[4]["contents"]["error"] == "no_method"


@pytest.mark.parametrize("url", ["v10/ping", "/v10/ping", "v11_22/ping", "v11.22/ping"])
def test_an_address_may_be_spelled(crm, url):
    (answer,) = crm.post("bulk", {"requests": [item(url)]})

    assert (answer["status"], answer["contents"]) == (200, "pong")


def test_a_request_sees_what_those_before_it_did(crm):
    lead = crm.post("Leads", {"last_name": "Before"})
    path = f"v11/Leads/{lead['id']}"

    answers = crm.post(
        "bulk",
        {
            "requests": [
                item(path, "PUT", {"last_name": "After"}),
                item(f"{path}?fields=last_name"),
                item(path, "DELETE"),
                item(path),
            ]
        },
    )

    assert answers[1]["contents"]["last_name"] == "After"
    assert [answer["status"] for answer in answers] == [200, 200, 200, 404]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(["X-Timestamp: 2020-01-01T00:00:00Z"], id="a_list"),
        pytest.param({"X-Timestamp": "2020-01-01T00:00:00Z"}, id="an_object"),
    ],
)
def test_a_request_may_have_headers_as(crm, headers):
    lead = crm.post("Leads", {"last_name": "Headed"})
    update = item(f"v11/Leads/{lead['id']}", "PUT", {"title": "x"}, headers=headers)

    (answer,) = crm.post("bulk", {"requests": [update]})

    assert answer["status"] == 409


@pytest.mark.parametrize(
    ("request_", "status", "label"),
    [
        pytest.param(item("v11/bulk", "POST", {"requests": []}), 404, "no_method", id="bulk"),
        pytest.param(item("v12/ping"), 301, "incorrect_version", id="another_version"),
        pytest.param(item(""), 301, "incorrect_version", id="nothing"),
        pytest.param(item("v11/Leads", "POST", "{"), 422, "invalid_parameter", id="no_json"),
        pytest.param("x", 301, "incorrect_version", id="no_object"),
    ],
)
def test_within_bulk_there_cannot_be(crm, request_, status, label):
    (answer,) = crm.post("bulk", {"requests": [request_]})

    assert (answer["status"], answer["contents"]["error"]) == (status, label)


@pytest.mark.parametrize("body", [{}, {"requests": []}, {"requests": "x"}])
def test_bulk_without_requests_is_refused(crm, body):
    assert refusal(crm.ask("POST", "bulk", body)) == (422, "missing_parameter")
