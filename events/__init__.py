"""What happened: the event types, their envelope, and how to publish them."""

from events.bounds import MAX_BATCH_BYTES as MAX_BATCH_BYTES
from events.bounds import MAX_BATCH_EVENTS as MAX_BATCH_EVENTS
from events.bounds import MAX_EVENT_BYTES as MAX_EVENT_BYTES

# Envelopes
from events.envelope import Envelope as Envelope
from events.envelope import decode as decode
from events.envelope import decode_batch as decode_batch
from events.envelope import encode as encode
from events.envelope import wrap as wrap

# Facts
from events.facts import EmailBounced as EmailBounced
from events.facts import EmailClicked as EmailClicked
from events.facts import EmailOpened as EmailOpened
from events.facts import EmailSent as EmailSent
from events.facts import EmailUnsubscribed as EmailUnsubscribed
from events.facts import FormSubmitted as FormSubmitted
from events.facts import LandingPageVisited as LandingPageVisited
from events.facts import PageVisited as PageVisited

# Publishing
from events.on_disk import NotKeptError as NotKeptError
from events.producer import Producer as Producer
from events.producer import Receipt as Receipt
from events.producer import connect as connect
from events.producer import receipts as receipts
from events.refusal import BadEventError as BadEventError

# Hints
from events.requests import ListImportRequested as ListImportRequested
from events.requests import PlanApproved as PlanApproved
from events.requests import PlanRequested as PlanRequested
from events.requests import ProgramTick as ProgramTick
from events.requests import RecordChanged as RecordChanged
from events.requests import SyncTick as SyncTick
from events.requests import UndoRequested as UndoRequested
from events.routes import DRAIN as DRAIN
from events.routes import QUEUES as QUEUES
from events.routes import ROUTES as ROUTES
from events.routes import TYPES as TYPES
from events.routes import Event as Event
