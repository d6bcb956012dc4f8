"""How long and of what form the fields of events may be."""

from typing import Annotated

from msgspec import Meta

MAX_EVENT_BYTES = 256 * 1024
MAX_BATCH_BYTES = 5 * 1024 * 1024
MAX_BATCH_EVENTS = 1000

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Line = Annotated[str, Meta(max_length=1000)]
Text = Annotated[str, Meta(max_length=20_000)]
Url = Annotated[str, Meta(min_length=1, max_length=2000)]

# The last part keeps a line break at the end out, which `$` alone lets pass in Python.
Address = Annotated[
    str,
    Meta(
        max_length=254,
        pattern=r"^[^@\s]+@[^@\s]+(?!\s)$",
        description="one address, such as ana@example.com",
    ),
]
