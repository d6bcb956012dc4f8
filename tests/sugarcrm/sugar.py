"""A scripted Sugar: what its token endpoint and lists say, as tests want it."""

import json
from contextlib import contextmanager

from sugarcrm.connect import connect
from tests.sugarcrm.wire import answer, says, wire_server

PASSWORD = "p4ssword-canary"
ME = {"current_user": {"id": "u1", "user_name": "api", "type": "admin"}}
FIELDS = {
    name: {"name": name, "type": kind}
    for name, kind in {
        "last_name": "varchar",
        "do_not_call": "bool",
        "last_sync_c": "datetime",
        "email": "email",
    }.items()
}
METADATA = {"modules": {"Leads": {"fields": {**FIELDS, "_hash": "x"}, "_hash": "y"}}}


def refuses(status, label, headers=""):
    """Write an error answer with texts that no message may repeat."""
    told = {"error": label, "error_message": f"bad: {PASSWORD}", "error_description": PASSWORD}
    return answer(json.dumps(told).encode(), status=f"{status} X", headers=headers)


def tokens(number):
    pair = {"access_token": f"acc3ss-canary-{number}", "refresh_token": f"r3fresh-canary-{number}"}
    return {**pair, "expires_in": 3600, "token_type": "bearer", "scope": None}


class Scripted:
    """Answers in turn; `said` keeps the bodies that came."""

    def __init__(self, *scripts):
        self.scripts, self.said = list(scripts), []

    def __call__(self, connection, form):
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        script(connection, form)


def records(*rows, next_offset=-1):
    return says({"next_offset": next_offset, "records": list(rows)})


@contextmanager
def scripted_sugar(**options):
    """A Sugar that lets one in and has no records, and its client."""
    with wire_server() as server:
        server.scripts |= {
            "GET v11/ping": refuses(401, "need_login"),
            "POST v11/oauth2/token": says(tokens(1)),
            "POST v11/oauth2/logout": says({"success": True}),
            "GET v11/me": says(ME),
            "GET v11/metadata": says(METADATA),
            "POST v11/Leads/filter": records(),
            "POST v11/EmailAddresses/filter": records(),
        }
        client = connect(server.url, "api", PASSWORD, **{"deadline_s": 2, **options})
        yield server, client
        client.close()


def sent_to(server, path):
    """The bodies that came to a path, read as JSON."""
    return [
        json.loads(body) if body else None
        for line, _, _, body in server.seen
        if line.split()[1].partition("?")[0].endswith(path)
    ]
