"""Our own writes, recognised when they come back: an echo is no edit of theirs."""

from sync.canonical import same
from sync.catalogue import FieldDef
from sync.records import Intent, Theirs

# A write of a worker thought dead lands late once, or twice. What comes back more often than
# this is a server that rewrites the field, and writing against it would never end.
HEALS = 3


def may_be_unseen(field: str, theirs: Theirs, ring: tuple[Intent, ...]) -> bool:
    """Whether SugarCRM's value of `field` may be what it made of a write whose answer we lost.

    Cut or rewritten it is told only by us having written last. Where somebody edited the row
    since, it looks like an edit of theirs, and wins over one made here: that much is not known.
    """
    return theirs.by_us and any(i.field == field and not (i.settled or i.seen) for i in ring)


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
    healed = [intent for intent in own[matching[-1] + 1 :] if intent.settled]  # seen to be in vain
    return sum(same(intent.value, present, definition) for intent in healed) < HEALS
