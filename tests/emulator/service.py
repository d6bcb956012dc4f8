"""Ask an emulator in its own process, in few words."""

import hashlib
import json

import requests

ADMIN = ("admin", "Adm1n!pass")


class Asker:
    """Calls methods of one emulator in one API version."""

    def __init__(self, base_url, version="v4_1"):
        self.url = f"{base_url}/service/{version}/rest.php"

    def post(self, method, arguments, **form):
        form |= {"method": method, "input_type": "JSON", "response_type": "JSON"}
        form["rest_data"] = json.dumps(arguments)
        return requests.post(self.url, data=form, timeout=20)

    def call(self, method, *arguments):
        return self.post(method, list(arguments)).json()

    def log_in(self, user_name=ADMIN[0], password=ADMIN[1]):
        digest = hashlib.md5(password.encode()).hexdigest()  # noqa: S324 SugarCRM's login form
        auth = {"user_name": user_name, "password": digest}
        return self.call("login", auth, "test", [])["id"]

    def names(self, session, module="Leads", query="", fields=("id", "last_name", "date_modified")):
        """Give the chosen fields of every record, in the order of ids."""
        answer = self.call(
            "get_entry_list", session, module, query, "id asc", 0, list(fields), [], 100_000, 1
        )
        return [
            {name: pair["value"] for name, pair in entry["name_value_list"].items()}
            for entry in answer["entry_list"]
        ]
