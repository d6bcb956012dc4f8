"""Facts: what people and mails did. Fields may be added with a default, never renamed."""

from typing import Annotated

from msgspec import Meta, Struct

from events.bounds import Address, Line, Name, Text, Url

Submitted = Annotated[dict[Name, Text], Meta(max_length=200)]


class FormSubmitted(Struct, frozen=True, kw_only=True):
    """A person filled in a form; `fields` are as submitted, by the form's own names."""

    form: Name
    fields: Submitted


class EmailSent(Struct, frozen=True, kw_only=True):
    """A message went out to one person, as part of a mailing to `list` if it names one."""

    message: Name
    email: Address
    subject: Line = ""
    list: Name | None = None


class EmailOpened(Struct, frozen=True, kw_only=True):
    """A person opened a message."""

    message: Name
    email: Address


class EmailClicked(Struct, frozen=True, kw_only=True):
    """A person followed a link of a message."""

    message: Name
    email: Address
    url: Url


class EmailBounced(Struct, frozen=True, kw_only=True):
    """A message could not be delivered; `permanent` unless it may be another time, as when a
    mailbox is full.
    """

    message: Name
    email: Address
    permanent: bool = True


class EmailUnsubscribed(Struct, frozen=True, kw_only=True):
    """A person wants no more mail; `message` is the one that they said so to, if any."""

    email: Address
    message: Name | None = None


class LandingPageVisited(Struct, frozen=True, kw_only=True):
    """A known person came to a landing page."""

    page: Name
    email: Address


class PageVisited(Struct, frozen=True, kw_only=True):
    """A known person looked at a page of the web site."""

    url: Url
    email: Address
