"""Ask an emulator of Sugar 7 and later, in few words."""

import requests

ADMIN = ("admin", "Adm1n!pass")
REP = ("apiuser", "Api!pass1")
LIMITED = ("limited", "Lim!pass1")
OWNER = ("ownonly", "Own!pass1")


class Asker:
    """Calls one version of the service with one token."""

    def __init__(self, url, version="v11"):
        self.base = f"{url}/rest/{version}"
        self.tokens = {}

    def grant(self, **sent):
        who = {"client_id": "sugar", "client_secret": "", "platform": "sugarloop"}
        return requests.post(f"{self.base}/oauth2/token", json=who | sent, timeout=20)

    def log_in(self, account=ADMIN, **more):
        name, password = account
        grant = {"grant_type": "password", "username": name, "password": password}
        answer = self.grant(**grant, **more)
        assert answer.status_code == 200, answer.text
        self.tokens = answer.json()
        return self

    def refresh(self, token=None, **more):
        token = token or self.tokens["refresh_token"]
        return self.grant(grant_type="refresh_token", refresh_token=token, **more)

    def ask(self, method, path, body=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.tokens:
            named = {"OAuth-Token": self.tokens["access_token"]} | named
        url = f"{self.base}/{path}"
        return requests.request(
            method, url, json=body, headers=named, timeout=20, allow_redirects=False
        )

    def get(self, path):
        return good(self.ask("GET", path))

    def post(self, path, body):
        return good(self.ask("POST", path, body))

    def put(self, path, body):
        return good(self.ask("PUT", path, body))

    def delete(self, path):
        return good(self.ask("DELETE", path))

    def found(self, wanted, module="Leads", **more):
        """Give the last names of the records that a filter finds, in alphabetical order."""
        sent = {"filter": wanted, "fields": "last_name", "max_num": 500, "order_by": "last_name"}
        return [r["last_name"] for r in self.post(f"{module}/filter", sent | more)["records"]]


def good(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusal(answer):
    """Give what tells one refusal from another."""
    return answer.status_code, answer.json()["error"]
