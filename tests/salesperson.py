"""Somebody who works in SugarCRM itself, asked and edited without our client."""

import hashlib
import html
import json

import requests

USERNAME, PASSWORD = "apiuser", "Api!pass1"


class Salesperson:
    """A user who is not the connector's; edits show as theirs."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/service/v4_1/rest.php"
        password = hashlib.md5(PASSWORD.encode()).hexdigest()  # noqa: S324  SugarCRM's login form
        login = {"user_name": USERNAME, "password": password}
        self._session = self._call("login", login, "test", [])["id"]

    def edit(self, module: str, crm_id: str, **values: str) -> None:
        """Change fields of a record."""
        pairs = [{"name": name, "value": value} for name, value in values.items()]
        pairs.append({"name": "id", "value": crm_id})
        self._call("set_entry", self._session, module, pairs)

    def delete(self, module: str, crm_id: str) -> None:
        """Delete a record."""
        self.edit(module, crm_id, deleted="1")

    def history(self, module: str, crm_id: str) -> list[str]:
        """The names of the notes that a record's page shows under History."""
        arguments = (module, crm_id, "notes", "", ["name"], [], 0)
        found = self._call("get_relationships", self._session, *arguments)
        return [html.unescape(e["name_value_list"]["name"]["value"]) for e in found["entry_list"]]

    def last_names(self, module: str, like: str) -> list[str]:
        """The last names of live records whose last name is like a pattern."""
        query = f"{module.lower()}.last_name like '{like}'"
        arguments = (module, query, "", 0, ["last_name"], [], 100_000, 0)
        found = self._call("get_entry_list", self._session, *arguments)
        return [e["name_value_list"]["last_name"]["value"] for e in found["entry_list"]]

    def ids(self, module: str) -> list[str]:
        """The ids of all live records."""
        arguments = (module, "", "", 0, ["id"], [], 100_000, 0)
        found = self._call("get_entry_list", self._session, *arguments)
        return [entry["id"] for entry in found["entry_list"]]

    def _call(self, method: str, *arguments: object) -> dict:
        form = {"method": method, "input_type": "JSON", "response_type": "JSON"}
        form["rest_data"] = json.dumps(arguments)
        return requests.post(self._url, data=form, timeout=30).json()
