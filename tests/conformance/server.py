"""Talk to one REST endpoint of a SugarCRM-style server."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests


class StepError(Exception):
    """A step could not be carried out (no answer, no session, or a value is missing)."""


@dataclass
class Server:
    """One REST endpoint of the server under test."""

    base_url: str
    version: str
    timeout: float
    http: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def send(self, raw: dict[str, Any]) -> requests.Response:
        """Send one request described by http, query, form, multipart, body and content_type."""
        parts = {name: (None, value) for name, value in raw.get("multipart", {}).items()}
        headers = {"Content-Type": raw["content_type"]} if "content_type" in raw else None
        data = raw["body"].encode() if "body" in raw else raw.get("form")
        url = f"{self.base_url.rstrip('/')}/service/{self.version}/rest.php"
        try:
            return self.http.request(
                raw.get("http", "POST"),
                url,
                params=raw.get("query"),
                data=data,
                files=parts or None,
                headers=headers,
                timeout=self.timeout,
            )
        except requests.RequestException as error:
            raise StepError(f"no answer: {error}") from error

    def call(self, method: str, arguments: Any) -> requests.Response:
        """Call an API method the ordinary way: JSON arguments in a form POST."""
        rest_data = json.dumps(arguments, ensure_ascii=False)
        return self.send(
            {
                "form": {
                    "method": method,
                    "input_type": "JSON",
                    "response_type": "JSON",
                    "rest_data": rest_data,
                }
            }
        )

    def clock(self) -> datetime | None:
        """Ask the server for its time (servers under test may run on a clock of their own)."""
        try:
            return datetime.fromisoformat(self.call("get_server_info", []).json()["gmt_time"])
        except (StepError, ValueError, KeyError, TypeError):
            return None
