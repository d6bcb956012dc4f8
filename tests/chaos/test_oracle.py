"""The oracle sees what must not be: books that were doctored do not pass."""

from collections import Counter

import msgspec
import pytest

from chaos.evidence import Evidence, Scan, Writes
from chaos.ledger import Edited
from chaos.oracle import judge
from chaos.size import FULL, SMOKE
from chaos.verdict import missed

LEADS, CONTACTS = "all-sugarcrm-leads", "all-sugarcrm-contacts"
EDIT = Edited("c1", "title", "Title 1", "there")
GOOD = Evidence(
    behaviour={"ana@example.com": Counter({"PageVisited /": 3})},
    behaviour_found={"ana@example.com": Counter({"PageVisited /": 3})},
    events_accepted=3,
    store_kills=1,
    power_cuts=1,
    rows={LEADS: frozenset({"l1", "l2"}), CONTACTS: frozenset({"c1", "c2"})},
    members={LEADS: ["l1", "l2"], CONTACTS: ["c1", "c2"]},
    forms=frozenset({"Form 1"}),
    leads_by_name=Counter({"Form 1": 1, "Somebody": 2}),
    mails=frozenset({"Mail 1"}),
    notes_by_name=Counter({"Email sent: Mail 1": 1}),
    added=frozenset({"Here 1"}),
    contacts_by_name=Counter({"Here 1": 1}),
    edits=(EDIT,),
    here={("c1", "title"): "Title 1"},
    there={("c1", "title"): "Title 1"},
    writes=Writes(total=2000, repeated=1),
    kills={"sync": 3, "clock": 1},
    recoveries_s=(1.0, 2.0),
    ticks=frozenset({"chaos 1"}),
    ticks_found=Counter({"chaos 1": 1}),
    answers=Counter({202: 9, 503: 2}),
    garbage=Counter({400: 9}),
    accept_ms=(3.0,),
    stops_s=(2.0,),
    calls_s=(0.1,),
    faults={"swallow": 4},
    full_disks=1,
    deaths_on_full=2,
    memory_mb={"sync": 60.0},
    secrets=Scan(3, 1000),
    simulations=10,
    skew_s=300,
)


def verdicts(evidence, size=SMOKE):
    return {row.promise for row in judge(evidence, size) if row.verdict == "MISSED"}


def test_clean_books_pass():
    assert verdicts(GOOD) == set()
    assert not missed(judge(GOOD, SMOKE))


@pytest.mark.parametrize(
    ("doctored", "sees"),
    [
        pytest.param(
            {"behaviour_found": {"ana@example.com": Counter({"PageVisited /": 2})}},
            {"P1", "P9", "P10"},
            id="a_lost_event",
        ),
        pytest.param({"behaviour_found": {}}, {"P1", "P9", "P10"}, id="everything_lost"),
        pytest.param({"unsent": 1}, {"P1", "P9", "P10"}, id="an_event_never_accepted"),
        pytest.param(
            {"behaviour_found": {"ana@example.com": Counter({"PageVisited /": 4})}},
            {"P6", "P9"},
            id="a_doubled_count",
        ),
        pytest.param(
            {
                "behaviour_found": {
                    "ana@example.com": Counter({"PageVisited /": 3, "EmailOpened x": 1})
                }
            },
            {"P6", "P9"},
            id="a_count_of_what_nobody_did",
        ),
        pytest.param({"members": {LEADS: ["l1"], CONTACTS: ["c1", "c2"]}}, {"P2"}, id="lost_here"),
        pytest.param(
            {"members": {LEADS: ["l1", "l2", "l2"], CONTACTS: ["c1", "c2"]}},
            {"P2"},
            id="a_lead_twice_in_the_list",
        ),
        pytest.param(
            {"members": {LEADS: ["l1", "l2", ""], CONTACTS: ["c1", "c2"]}},
            {"P2"},
            id="a_member_that_was_never_created",
        ),
        pytest.param({"leads_by_name": Counter()}, {"P2"}, id="a_form_without_a_lead"),
        pytest.param({"leads_by_name": Counter({"Form 1": 2})}, {"P2"}, id="a_form_with_two"),
        pytest.param({"contacts_by_name": Counter()}, {"P2"}, id="an_addition_that_never_came"),
        pytest.param({"undone": "queue sync holds 1"}, {"P2", "P10"}, id="work_left_undone"),
        pytest.param({"writes": Writes(total=900, repeated=1)}, {"P2"}, id="a_repeated_write"),
        pytest.param({"writes": Writes(total=9, created_twice=1)}, {"P2"}, id="an_id_made_twice"),
        pytest.param({"kills": {}}, {"P2"}, id="nobody_was_killed"),
        pytest.param({"recoveries_s": (1.0, 7.0)}, {"P3"}, id="a_slow_recovery"),
        pytest.param({"stranded": 1}, {"P3"}, id="a_stranded_message"),
        pytest.param({"here": {}}, {"P4"}, id="their_edit_lost"),
        pytest.param({"there": {("c1", "title"): "Old"}}, {"P4"}, id="an_edit_overwritten"),
        pytest.param({"writes": Writes(total=9, in_silence=1)}, {"P4"}, id="an_echo"),
        pytest.param({"simulations_bad": 1}, {"P4"}, id="a_bad_life"),
        pytest.param({"calls_s": (9.0,)}, {"P5"}, id="a_call_past_its_deadline"),
        pytest.param({"faults": {}}, {"P5"}, id="no_fault_struck"),
        pytest.param({"notes_by_name": Counter()}, {"P6"}, id="a_lost_note"),
        pytest.param(
            {"notes_by_name": Counter({"Email sent: Mail 1": 2})}, {"P6"}, id="a_doubled_note"
        ),
        pytest.param({"ticks_found": Counter()}, {"P8", "P9"}, id="a_lost_tick"),
        pytest.param({"ticks_found": Counter({"chaos 1": 2})}, {"P8", "P9"}, id="a_doubled_tick"),
        pytest.param({"without_retry_after": 1}, {"P10"}, id="a_503_without_retry_after"),
        pytest.param({"deaths_on_full": 0}, {"P10"}, id="the_disk_was_never_full"),
        pytest.param({"memory_mb": {"web": 301.0}}, {"P11"}, id="a_process_that_grew"),
        pytest.param({"answers": Counter({202: 1, 500: 1})}, {"P12"}, id="a_500"),
        pytest.param({"garbage": Counter({202: 1})}, {"P12"}, id="garbage_taken"),
        pytest.param({"unexpected_endings": {"web": 1}}, {"P12"}, id="a_process_that_ended"),
        pytest.param({"secrets": Scan(3, 1000, {"key": 1})}, {"P14"}, id="a_leaked_secret"),
        pytest.param({"secrets": Scan(0, 1000)}, {"P14"}, id="no_secret_looked_for"),
        pytest.param({"stops_s": (31.0,)}, {"P15"}, id="a_slow_stop"),
        pytest.param({"stops_s": ()}, {"P15"}, id="no_stop_at_all"),
    ],
)
def test_doctored_books_do_not_pass(doctored, sees):
    found = verdicts(msgspec.structs.replace(GOOD, **doctored))

    # Lost and doubled people also count against faults and clocks.
    assert sees <= found <= sees | ({"P5", "P9"} if "P2" in sees else set())


@pytest.mark.parametrize(
    ("lacking", "promise"),
    [
        pytest.param({"no_power_cuts": "needs a C compiler"}, "P1", id="no_compiler"),
        pytest.param({"skew_s": 0}, "P9", id="no_skew"),
        pytest.param({"full_disks": 0}, "P10", id="no_limit_on_files"),
        pytest.param({"secrets": None}, "P14", id="no_scan"),
        pytest.param({"recoveries_s": ()}, "P3", id="no_interruption"),
    ],
)
def test_what_was_not_measured_is_never_passed(lacking, promise):
    rows = judge(msgspec.structs.replace(GOOD, **lacking), FULL)

    assert promise in {row.promise for row in rows if row.verdict == "not measured"}
    assert not missed(rows)
