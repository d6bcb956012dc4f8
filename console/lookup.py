"""Find what a person names: a list by id or title, a record by id or address."""

from console.exits import MissingError
from store.lists import ListMissingError
from store.records import Records
from sync.deletion import is_member
from sync.identity import slug
from sync.lists import MarketingList, Program
from sync.records import Record
from workers.app import App


def find_list(app: App, name: str) -> MarketingList:
    """Give the list with this id or title, in any case of letters.

    Raises:
        ListMissingError: there is none.
        MissingError: several lists have this title.
    """
    everyone = app.lists.all()
    by_id = [of for of in everyone if of.id == name]
    by_title = [of for of in everyone if of.title.casefold() == name.casefold()]
    found = by_id or by_title or [of for of in everyone if of.id == slug(name)]
    if len(found) > 1:
        raise MissingError(f"several lists are called {name!r}: {', '.join(of.id for of in found)}")
    if not found:
        raise ListMissingError(name)
    return found[0]


def find_record(records: Records, of: MarketingList, name: str) -> Record:
    """Give the member with this id, SugarCRM id or address.

    Raises:
        MissingError: there is none, or several have this address.
    """
    known = _known(records, name)
    live = [record for record in known.values() if is_member(record, of.deleted)]
    if len(live) > 1:
        ids = ", ".join(sorted(record.id for record in live))
        raise MissingError(f"several records of {of.title!r} have the address {name}: {ids}")
    if live:
        return live[0]
    gone = "".join(f" (it was {record.gone})" for record in known.values())
    raise MissingError(
        f"{of.title!r} has no record {name!r}{gone}; see `sugarloop lists members {of.id}`"
    )


def find_member_or_gone(records: Records, of: MarketingList, name: str) -> Record:
    """Give the member with this id, SugarCRM id or address, or who is no member any more.

    Raises:
        MissingError: there is none, or several have this address.
    """
    known = _known(records, name)
    everybody_is_gone = not any(is_member(record, of.deleted) for record in known.values())
    if len(known) == 1 and everybody_is_gone:
        return next(iter(known.values()))
    return find_record(records, of, name)


def record_meant(app: App, of: MarketingList, name: str) -> str:
    """Give the id of who is named by an address; an id, or "" for anybody, is given back.

    Raises:
        MissingError: nobody of the list has the address, or several have.
    """
    return find_member_or_gone(app.lists.records(of), of, name).id if "@" in name else name


def _known(records: Records, name: str) -> dict[str, Record]:
    known = records.get_many([name]) or records.by_crm_ids([name])
    if not known and "@" in name:
        known = records.get_many(records.ids_by_email(name))
    return known


def find_program(app: App, name: str) -> Program:
    """Give the program with this id or name.

    Raises:
        MissingError: there is none.
    """
    program = app.programs.get(name) or app.programs.get(slug(name))
    if program is None:
        raise MissingError(f"no program is called {name!r}; `sugarloop programs` shows all")
    return program
