"""P2: what kills cost in reading. The same forms twice, worked off in calm and under kills."""

import time
from collections import Counter
from pathlib import Path

import msgspec

from chaos import gathering
from chaos.site import Site, site
from chaos.size import Size
from chaos.stream import FORM
from chaos.verdict import Row, judged
from console.demo.stage import ADMIN
from events import Envelope, FormSubmitted, wrap
from store.queue_depths import QueueDepths

FORMS_A_KILL = 250  # as in the promise: 200 kills during 50,000
LIMIT = 0.03
_PART, _WAIT_S, _LOOK_EVERY_S = 500, 600.0, 0.05
_READS = frozenset({"get_entry", "get_entries", "get_entry_list", "get_relationships"})
_WORKER = "realtime"


class Worked(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the forms of one twin."""

    reads: int  # calls to SugarCRM by the connector
    leads: Counter[str]
    kills: int
    took_s: float


def extra_reads_row(folder: Path, size: Size, seed: int) -> Row:
    """Create the same people twice, and compare how often SugarCRM was read."""
    alone = msgspec.structs.replace(size, leads=0, contacts=0, skew_s=0)
    calm = _work(folder / "calm", alone, seed, kills=0)
    struck = _work(folder / "struck", alone, seed, kills=size.twin_forms // FORMS_A_KILL)
    return judge_twins(size.twin_forms, calm, struck)


def judge_twins(forms: int, calm: Worked, struck: Worked) -> Row:
    """Compare the twins; without a kill nothing was shown."""
    extra = struck.reads / max(1, calm.reads) - 1
    not_once = sum(forms - sum(n == 1 for n in twin.leads.values()) for twin in (calm, struck))
    told = f"{extra:.1%}: {struck.reads:,} against {calm.reads:,} in calm, {struck.kills} kills"
    told += f" during {forms:,} leads ({struck.took_s:.0f} s, {calm.took_s:.0f} s in calm)"
    told += f", {not_once} not there once"
    good = extra <= LIMIT and not not_once and struck.kills > 0 and calm.reads >= forms
    return judged("P2", "extra reads", told, f"<= {LIMIT:.0%}; 0", good=good)


def _work(folder: Path, size: Size, seed: int, *, kills: int) -> Worked:
    """Accept all forms, start the workers, and kill one each time so many more leads are there.

    Raises:
        TimeoutError: it was not over in time.
    """
    with site(folder, size, seed, power_cuts=False) as whole:
        mapping = ("--map", "email=email1", "--map", "n=last_name")
        whole.must("form", "set", FORM, "--to", "leads", *mapping)
        _publish(whole, size.twin_forms)
        began, struck = time.monotonic(), 0
        while (made := _made(whole)) < size.twin_forms or _waiting(whole):
            if time.monotonic() - began > _WAIT_S:
                raise TimeoutError(f"{made} of {size.twin_forms} leads were made")
            if struck < kills and made >= (struck + 0.5) * FORMS_A_KILL:
                whole.processes.kill(_WORKER)
                struck += 1
            time.sleep(_LOOK_EVERY_S)
        took_s = time.monotonic() - began
        reads = sum(
            call.get("user") == ADMIN and call["method"] in _READS for call in whole.far_end.calls()
        )
        leads = gathering.names(whole.far_end, "leads", "last_name")
    return Worked(reads=reads, leads=leads, kills=struck, took_s=took_s)


def _publish(whole: Site, forms: int) -> None:
    for start in range(0, forms, _PART):
        whole.app.producer.publish_many(
            [_form(number) for number in range(start, min(start + _PART, forms))]
        )


def _form(number: int) -> Envelope:
    fields = {"email": f"twin{number}@example.net", "n": f"Twin {number}"}
    return wrap(FormSubmitted(form=FORM, fields=fields), source="twins")


def _made(whole: Site) -> int:
    return int(whole.far_end.rows("SELECT count(*) FROM leads WHERE deleted = 0")[0][0])


def _waiting(whole: Site) -> int:
    (depth,) = QueueDepths(whole.app.client, (_WORKER,)).read()
    return depth.waiting + depth.held + depth.delayed
