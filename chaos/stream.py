"""The stream of events: batches over HTTP, sent until they are accepted, some of them again."""

import json
import queue
import threading
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

import requests

from chaos.ledger import Ledger
from chaos.size import Size

BATCH = "application/cloudevents-batch+json"
FORM, MESSAGE = "chaos", "news"
_SENDERS, _BACKLOG = 3, 60  # batches that may wait
_AGAIN = 0.15  # of the batches, once accepted, are sent once more, or more often
_PAGES, _OF_CONTACTS = 20, 0.02
_WAIT_S = 0.3

Event = dict[str, Any]


class _Parcel(NamedTuple):
    events: Sequence[Event]
    again: bool


class Stream:
    """Sends events at a steady rate, while the intake takes them, and everything in the end."""

    def __init__(self, url: str, token: str, size: Size, seed: int, ledger: Ledger) -> None:
        self._url, self._size, self._ledger = f"{url}/events", size, ledger
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": BATCH}
        self._luck = Random(f"stream {seed}")  # noqa: S311  repeatable
        self._parcels: queue.Queue[_Parcel] = queue.Queue()
        self._on_the_way = 0
        self._changed = threading.Condition()
        self._stop, self._over = threading.Event(), threading.Event()
        self._number = 0
        self._threads = [
            threading.Thread(target=target, daemon=True)
            for target in (self._behave, *[self._send_all] * _SENDERS)
        ]
        self._addresses: tuple[str, ...] = ()

    def start(self, addresses: Sequence[str]) -> None:
        """Begin; `addresses` are of contacts who get mails."""
        self._addresses = tuple(addresses)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Make no more events; those made are still sent."""
        self._stop.set()

    def sent(self) -> bool:
        """Whether everything that was made is accepted."""
        with self._changed:
            return self._stop.is_set() and not self._on_the_way

    def close(self) -> None:
        """End all threads."""
        self._stop.set()
        self._over.set()
        for thread in self._threads:
            thread.join(15)

    def _behave(self) -> None:
        made = 0.0
        forms = mails = 0.0
        began = time.monotonic()
        while not self._stop.wait(0.02):
            passed_s = time.monotonic() - began
            if self._parcels.qsize() > _BACKLOG:
                began += 0.02  # the intake does not keep up: wait, and show the rate it gave
                continue
            while made < passed_s * self._size.events_per_s:
                self._post([self._behaviour() for _ in range(self._size.batch)])
                made += self._size.batch
            while forms < passed_s * self._size.forms_per_s:
                self._post([self._form()])
                forms += 1
            while mails < passed_s * self._size.mails_per_s:
                self._post([self._mail()])
                mails += 1

    def _behaviour(self) -> Event:
        luck = self._luck
        person = f"p{luck.randrange(self._size.people)}@example.com"
        if luck.random() < _OF_CONTACTS:
            person = luck.choice(self._addresses)
        page = f"https://example.com/{luck.randrange(_PAGES)}"
        kind, data, asset = luck.choice(
            (
                ("PageVisited", {"url": page}, page),
                ("LandingPageVisited", {"page": page}, page),
                ("EmailOpened", {"message": MESSAGE}, MESSAGE),
                ("EmailClicked", {"message": MESSAGE, "url": page}, f"{MESSAGE} {page}"),
            )
        )
        self._ledger.did(person, kind, asset)
        return self._event(kind, {**data, "email": person})

    def _form(self) -> Event:
        name = f"Form {self._number} & Söhne"
        person = f"form{self._number}@example.net"
        self._ledger.forms.add(name)
        self._ledger.did(person, "FormSubmitted", FORM)
        return self._event("FormSubmitted", {"form": FORM, "fields": {"email": person, "n": name}})

    def _mail(self) -> Event:
        subject = f"Mail {self._number}"
        self._ledger.mails.add(subject)
        to = self._luck.choice(self._addresses)
        return self._event("EmailSent", {"message": MESSAGE, "email": to, "subject": subject})

    def _event(self, kind: str, data: Event) -> Event:
        self._number += 1
        about = {"specversion": "1.0", "source": "chaos", "id": f"e{self._number}"}
        return {**about, "type": kind, "data": data}

    def _post(self, events: Sequence[Event], *, again: bool = False) -> None:
        with self._changed:
            self._on_the_way += 1
        self._parcels.put(_Parcel(events, again))

    def _send_all(self) -> None:
        luck = Random(threading.get_ident())  # noqa: S311  which are sent again
        with requests.Session() as session:
            while not self._over.is_set():
                try:
                    parcel = self._parcels.get(timeout=0.1)
                except queue.Empty:
                    continue
                self._send(session, parcel)
                if luck.random() < _AGAIN:
                    shuffled = luck.sample(parcel.events, len(parcel.events))
                    self._post(shuffled, again=True)
                with self._changed:
                    self._on_the_way -= 1

    def _send(self, session: requests.Session, parcel: _Parcel) -> None:
        body = json.dumps(parcel.events).encode()
        while not self._over.is_set():
            began = time.monotonic()
            status, tells_when = ask(
                lambda: session.post(self._url, data=body, headers=self._headers, timeout=8)
            )
            ms = (time.monotonic() - began) * 1000
            self._ledger.answered(status, ms, len(parcel.events), again=parcel.again)
            if status == 202:
                return
            if status == 503 and not tells_when:
                self._ledger.lacked_retry_after()
            self._over.wait(_WAIT_S)


def ask(call: Callable[[], requests.Response]) -> tuple[int, bool]:
    """The status of an answer, 0 for none, and whether it says when to come back."""
    try:
        answer = call()
    except requests.RequestException:
        return 0, False
    return answer.status_code, "Retry-After" in answer.headers
