"""What a record's page in SugarCRM shows under History, asked without our client."""

import hashlib
import html
import json

import requests

from tests.emulated import PASSWORD, USERNAME


def history(url: str, module: str, crm_id: str) -> list[str]:
    """The names of the notes linked to a record."""

    def call(method: str, *arguments: object) -> object:
        form = {"method": method, "input_type": "JSON", "response_type": "JSON"}
        form["rest_data"] = json.dumps(arguments)
        return requests.post(f"{url}/service/v4_1/rest.php", data=form, timeout=10).json()

    password = hashlib.md5(PASSWORD.encode()).hexdigest()  # noqa: S324  SugarCRM's login form
    session = call("login", {"user_name": USERNAME, "password": password}, "test", [])["id"]
    found = call("get_relationships", session, module, crm_id, "notes", "", ["name"], [], 0)
    return [html.unescape(e["name_value_list"]["name"]["value"]) for e in found["entry_list"]]
