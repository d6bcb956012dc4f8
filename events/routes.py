"""Which actor handles which event: the whole system on one screen."""

from collections.abc import Mapping
from typing import NamedTuple

from events.facts import (
    EmailBounced,
    EmailClicked,
    EmailOpened,
    EmailSent,
    EmailUnsubscribed,
    FormSubmitted,
    LandingPageVisited,
    PageVisited,
)
from events.requests import (
    ListImportRequested,
    PlanApproved,
    PlanRequested,
    ProgramTick,
    RecordChanged,
    SyncTick,
    UndoRequested,
)

Event = (
    FormSubmitted
    | EmailSent
    | EmailOpened
    | EmailClicked
    | EmailBounced
    | EmailUnsubscribed
    | LandingPageVisited
    | PageVisited
    | ListImportRequested
    | SyncTick
    | ProgramTick
    | RecordChanged
    | PlanRequested
    | PlanApproved
    | UndoRequested
)


class To(NamedTuple):
    """An actor, and the queue that it is served from."""

    queue: str
    actor: str


class Route(NamedTuple):
    """Each of `actors` gets one message; `behaviour` is added up many events at a time.

    `orders` tells of an event that has work begun on whole lists, rather than what happened.
    """

    actors: tuple[To, ...] = ()
    behaviour: bool = False
    orders: bool = False


DRAIN = To("score", "drain_behaviour")  # one message drains all the behaviour that waits

ROUTES: Mapping[type[Event], Route] = {
    FormSubmitted: Route(actors=(To("realtime", "create_lead"),), behaviour=True),
    EmailSent: Route(actors=(To("realtime", "write_history_note"),)),
    EmailOpened: Route(behaviour=True),
    EmailClicked: Route(behaviour=True),
    EmailBounced: Route(actors=(To("realtime", "restrict_person"),)),
    EmailUnsubscribed: Route(actors=(To("realtime", "restrict_person"),)),
    LandingPageVisited: Route(behaviour=True),
    PageVisited: Route(behaviour=True),
    ListImportRequested: Route(actors=(To("sync", "start_import"),), orders=True),
    SyncTick: Route(actors=(To("sync", "start_sync"),), orders=True),
    RecordChanged: Route(actors=(To("sync", "look_at_record"),)),
    ProgramTick: Route(actors=(To("score", "run_program"),), orders=True),
    PlanRequested: Route(actors=(To("sync", "start_plan"),), orders=True),
    PlanApproved: Route(actors=(To("sync", "start_apply"),), orders=True),
    UndoRequested: Route(actors=(To("sync", "start_undo"),), orders=True),
}

TYPES: Mapping[str, type[Event]] = {kind.__name__: kind for kind in ROUTES}
QUEUES: tuple[str, ...] = tuple(
    sorted({to.queue for route in ROUTES.values() for to in (*route.actors, DRAIN)})
)
