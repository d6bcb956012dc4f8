"""People who work on both sides of a list while everything breaks."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

import msgspec
import redis

from chaos.ledger import Edited, Ledger
from chaos.size import Size
from console.demo.stage import SALES, SALES_PASSWORD
from console.edits import add_record, edit_record
from console.exits import RefusedError
from events import ListImportRequested
from store.schedules import KEY, Scheduled
from sugarcrm.connect import connect
from sugarcrm.crm import Draft, Written
from sync.failure import Failure, Retriable
from sync.schedule import next_slot, parse_schedule
from workers.app import App

CONTACTS, LEADS = "all-sugarcrm-contacts", "all-sugarcrm-leads"
OURS, THEIRS = "phone_work", "title"  # who edits which field
EDITED = 40  # records that are edited over and over
_AGAIN_S = 0.2
_PATIENCE_S = 180


class People:
    """Edit and add on both sides, import, and save schedules that are due, until told to stop."""

    def __init__(self, app: App, url: str, size: Size, seed: int, ledger: Ledger) -> None:
        self._app, self._size, self._ledger, self._url = app, size, ledger, url
        self._luck = Random(f"people {seed}")  # noqa: S311  repeatable
        self._stop = threading.Event()
        self._of = app.lists.get(CONTACTS)
        self._records = app.lists.records(self._of)
        some = next(self._records.scan(500))
        self._edited = [(r.id, r.crm_id or "") for r in some if r.crm_id and not r.gone][:EDITED]
        self._crm = connect(url, SALES, SALES_PASSWORD, platform="mobile")
        self._number = 0
        self._threads = [
            threading.Thread(target=target, daemon=True)
            for target in (self._edit_here, self._edit_there, self._add, self._tick, self._import)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is in hand, and end."""
        self._stop.set()
        for thread in self._threads:
            thread.join(_PATIENCE_S + 60)
        self._crm.close()

    def _edit_here(self) -> None:
        for number in self._paced(self._size.edits_per_s / 2):
            record_id, crm_id = self._edited[number % len(self._edited)]
            value = f"+1 555 {number:06}"
            values = {OURS: value}
            _until_done(partial(edit_record, self._records, self._of, record_id, values))
            self._ledger.edited(Edited(crm_id, OURS, value, "here"))

    def _edit_there(self) -> None:
        for number in self._paced(self._size.edits_per_s / 2):
            _, crm_id = self._edited[(7 * number) % len(self._edited)]
            value = f"Title {number}"
            draft = Draft(crm_id, {THEIRS: value})
            _until_done(partial(self._update_there, draft))
            self._ledger.edited(Edited(crm_id, THEIRS, value, "there"))

    def _add(self) -> None:
        for number in self._paced(self._size.additions / (self._size.minutes * 50)):
            if number >= self._size.additions:
                return
            here, there = f"Here {number}", f"There {number}"
            ours = {"last_name": here, "email1": f"here{number}@example.org"}
            _until_done(partial(self._add_here, ours))
            self._ledger.added_here.add(here)
            theirs = {"last_name": there, "email1": f"there{number}@example.org"}
            draft = Draft(str(uuid.UUID(int=self._luck.getrandbits(128), version=4)), theirs)
            _until_done(partial(self._add_there, draft))
            self._ledger.added_there.add(there)

    def _update_there(self, draft: Draft) -> None:
        _taken(self._crm.update_many("Contacts", [draft]))

    def _add_there(self, draft: Draft) -> None:
        _taken(self._crm.create_many("Contacts", [draft]))

    def _add_here(self, values: dict[str, str]) -> None:
        try:
            add_record(self._records, self._of, values)
        except RefusedError:
            return  # the answer to an earlier try was lost

    def _tick(self) -> None:
        for number in self._paced(self._size.ticks_per_s):
            name = f"chaos {number}"
            target = LEADS if number % 4 == 3 else CONTACTS
            saved = due_now(target)
            _until_done(partial(self._app.client.hset, KEY, name, saved))
            self._ledger.ticks.add(name)

    def _import(self) -> None:
        """Ask for all leads again whenever the import before is over."""
        for _ in self._paced(1.0):
            try:
                if self._app.runs.active(LEADS) is None:
                    self._app.producer.publish(ListImportRequested(module="Leads"))
            except redis.RedisError:
                continue

    def _paced(self, per_s: float) -> Iterator[int]:
        number, began = 0, time.monotonic()
        while not self._stop.wait(max(0.0, began + number / per_s - time.monotonic())):
            yield number
            number += 1


def due_now(target: str) -> bytes:
    """A schedule whose slot is just over, and whose next one is most of a day away."""
    now = datetime.now(UTC)
    schedule = parse_schedule(f"daily {now - timedelta(hours=1):%H:%M}")
    saved_at = next_slot(schedule, now - timedelta(days=1)) - timedelta(seconds=1)
    scheduled = Scheduled(kind="sync", target=target, schedule=schedule, saved_at=saved_at)
    return msgspec.json.encode(scheduled)


def add_mailed(url: str, count: int) -> list[str]:
    """Put contacts into SugarCRM who each have an address of their own; give the addresses."""
    crm = connect(url, SALES, SALES_PASSWORD, platform="mobile")
    addresses = [f"mailed{number}@example.org" for number in range(count)]
    drafts = [
        Draft(str(uuid.uuid5(uuid.NAMESPACE_URL, a)), {"last_name": a[:7], "email1": a})
        for a in addresses
    ]
    crm.create_many("Contacts", drafts)
    crm.close()
    return addresses


def _taken(answers: Sequence[Written]) -> None:
    """What SugarCRM refuses of somebody at work there, it refuses in a bad hour: again.

    Raises:
        Retriable: it did.
    """
    if any(answer.refused for answer in answers):
        raise Retriable("SugarCRM did not take it")


def _until_done(act: Callable[[], object]) -> None:
    """Do it, again and again while either side is away; each act has its effect once.

    One call may wait 30 s for an answer that never comes, and meet the next outage after that.
    """
    ends_at = time.monotonic() + _PATIENCE_S
    while True:
        try:
            act()
        except (Failure, redis.RedisError) as problem:
            if time.monotonic() > ends_at:
                away = f"neither side came back within {_PATIENCE_S} s"
                raise TimeoutError(away) from problem
            time.sleep(_AGAIN_S)
        else:
            return
