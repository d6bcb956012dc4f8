"""Our own writes, recognised when they come back: an echo is no edit of theirs."""

from sync.canonical import same
from sync.catalogue import FieldDef
from sync.records import Intent, Theirs

# A write of a worker thought dead lands late once, or twice. What comes back more often than
# this is a server that rewrites the field, and writing against it would never end.
HEALS = 3


def is_echo(
    field: str, present: str, theirs: Theirs, ring: tuple[Intent, ...], definition: FieldDef | None
) -> bool:
    """Whether SugarCRM's value of `field` is an older write of ours, which `present` replaces.

    An open intent may land at any moment, whoever else edits the row; a settled one counts only
    where we are the last to have written, since people type the same values, too.
    """
    seen = theirs.values[field]
    own = [intent for intent in ring if intent.field == field]
    matching = [
        at
        for at, intent in enumerate(own)
        if (theirs.by_us or not intent.settled) and same(intent.value, seen, definition)
    ]
    if not matching:
        return False
    since = own[matching[-1] + 1 :]
    return sum(same(intent.value, present, definition) for intent in since) < HEALS
