"""A restriction is of the address: every list hears of one that is set by hand, whoever comes into
a list by hand has it there, too, and none is lifted in one list alone.
"""

from collections.abc import Mapping, Sequence

from console.edits import person
from console.exits import RefusedError
from console.lookup import find_record
from console.opting_in import opted_out
from sync.canonical import is_set
from sync.consent import CONSENT_FIELDS, OPT_OUT
from sync.identity import ADDRESS, normal_email
from sync.lists import MarketingList
from sync.records import Record
from workers.app import App
from workers.restricting import restrict_everywhere, restrict_newcomers

_BATCH = 200  # addresses looked for at once


def pass_on(app: App, of: MarketingList, record: Record, given: Mapping[str, str]) -> None:
    """Restrict everybody else with the record's address as the `given` values say; nothing else
    is passed on. Done again, it changes nothing.
    """
    flags = {flag for flag in CONSENT_FIELDS & given.keys() if is_set(given[flag])}
    address = normal_email(record.values.get(ADDRESS, ""))
    if flags and address:
        because = f"set by hand in {of.title!r}"
        restrict_everywhere(app, {address: flags}, person(), because, {(of.id, record.id)})


def must_not_lift_alone(app: App, of: MarketingList, name: str, given: Mapping[str, str]) -> None:
    """Keep an opt-out that another list has, too, from being cleared in this one only.

    Raises:
        MissingError: the list has nobody of this name.
        RefusedError: names the lists that have it.
    """
    if OPT_OUT not in given or is_set(given[OPT_OUT]):
        return
    record = find_record(app.lists.records(of), of, name)
    address = record.values.get(ADDRESS, "")
    if not (address and is_set(record.values.get(OPT_OUT, ""))):
        return
    everywhere = (one for one in app.lists.all() if one.id != of.id)
    others = [one.title for one in everywhere if opted_out(app.lists.records(one), address)]
    if others:
        raise RefusedError(
            f"{OPT_OUT}: {', '.join(map(repr, others))} has it, too;"
            " `sugarloop opt-in EMAIL` lifts it in every list"
        )


def take_over(app: App, into: MarketingList, addresses: Sequence[str]) -> int:
    """Restrict whoever came into a list with these addresses as other lists say; give how many.

    A sync that says it to the lists just now, and did not find them yet, says it again: what it
    is about to commit goes by what it looked at before.
    """
    app.suppression.changed()
    known = list(dict.fromkeys(filter(None, map(normal_email, addresses))))
    batches = [known[at : at + _BATCH] for at in range(0, len(known), _BATCH)]
    return sum(restrict_newcomers(app, into, batch, person()) for batch in batches)
