"""Email addresses: one row an address, shared by every lead and contact that has it."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from sugarcrm.answers import NameValue, linked_values, plain_values
from sugarcrm.batches import Told, batch_size, write_in_batches
from sugarcrm.crm import AddressPage, AddressState, Draft, Module, Position, Written
from sugarcrm.email_fields import COLUMN_OF, EMAIL, NO_ADDRESS
from sugarcrm.errors import RefusedError
from sugarcrm.lost import TurnedAwayError
from sugarcrm.query import address_among, changed_since, id_among, sendable
from sugarcrm.service import Record, Service
from sugarcrm.values import to_wire
from sync.canonical import is_set
from sync.identity import normal_email

_LINK = "email_addresses"
_ROW = ("id", "email_address", "opt_out", "invalid_email")
_ASKED_AT_ONCE = 100


class Address(msgspec.Struct, frozen=True):
    """One row of EmailAddresses; `flags` by the names that leads and contacts use."""

    id: str
    address: str
    flags: Mapping[str, bool]


class Holder(msgspec.Struct, frozen=True):
    """The addresses of one record; email1 is the primary one."""

    email: str
    linked: tuple[Address, ...]

    @property
    def primary(self) -> Address | None:
        key = normal_email(self.email)
        return next((a for a in self.linked if normal_email(a.address) == key), None)


class Addresses:
    """Reads and changes addresses without harm to others that share them."""

    def __init__(self, service: Service, *, deadline_s: float) -> None:
        self._service, self._size = service, batch_size(deadline_s)

    def known(self, emails: Iterable[str]) -> dict[str, Address]:
        """Find the rows of `emails`; keys are folded. Two rows of one address count as one."""
        usable = (email for email in emails if email.strip() and sendable(email))
        keys = sorted(set(map(normal_email, usable)))
        found: dict[str, Address] = {}
        for start in range(0, len(keys), _ASKED_AT_ONCE):
            asked = address_among(keys[start : start + _ASKED_AT_ONCE])
            answer = self._service.entry_list("EmailAddresses", asked, _ROW, 10 * _ASKED_AT_ONCE)
            for entry in answer.entry_list:
                address = _address(plain_values(entry.name_value_list))
                key = normal_email(address.address)
                found[key] = _stricter(found[key], address) if key in found else address
        return found

    def changed(self, since: str, after: Position | None, limit: int) -> AddressPage:
        """Read the rows that changed; a flag changes its row and no lead's date_modified."""
        answer = self._service.entry_list(
            "EmailAddresses",
            changed_since("EmailAddresses", since, after),
            (*_ROW, "date_modified"),
            limit,
            order="date_modified asc, id asc",
        )
        states = tuple(_state(plain_values(entry.name_value_list)) for entry in answer.entry_list)
        if len(states) < limit and not self._service.cap.may_have_cut(len(states), limit):
            return AddressPage(states, None)
        return AddressPage(states, Position(states[-1].modified_at, states[-1].id))

    def keeping_flags(self, drafts: Sequence[Draft], *, named_win: bool) -> list[Draft]:
        """Give each draft the flags that its address already has.

        A save that names an address and not its flags resets them for everyone who shares it
        (measured on both products). With `named_win` a flag that the draft names may clear one;
        a creation passes False, since making a record takes back no one's opt-out. A flag that one
        draft sets holds for the others with that address, which may be saved after it.
        """
        known = self.known(draft.values.get(EMAIL, "") for draft in drafts)
        for draft in drafts:
            address, key = _wanted(draft), normal_email(draft.values.get(EMAIL, ""))
            known[key] = _stricter(known[key], address) if key in known else address
        return [_keeping(draft, known, named_win=named_win) for draft in drafts]

    def holders(self, module: Module, ids: Sequence[str]) -> dict[str, Holder]:
        """Read which addresses the records have; ids that are gone are absent."""
        answer = self._service.entry_list(
            module, id_among(module, ids), ("id", EMAIL), len(ids), links={_LINK: _ROW}
        )
        linked = linked_values(answer, _LINK)
        found = {}
        for entry, rows in zip(answer.entry_list, linked, strict=True):
            values = plain_values(entry.name_value_list)
            addresses = tuple(_address(r) for r in rows if r.get("email_address"))
            found[values.get("id", "")] = Holder(values.get(EMAIL, ""), addresses)
        return found

    def change(
        self, module: Module, drafts: Sequence[Draft], holders: Mapping[str, Holder]
    ) -> dict[str, Written]:
        """Change email1 and flags of records that have an address; give refusals by record id.

        Needed where set_entry ignores them (SuiteCRM 7.12 and later); the user must be an
        administrator there.
        """
        refused: dict[str, Written] = {}
        flags: dict[str, Draft] = {}
        known = self.known(d.values.get(EMAIL, "") for d in drafts)
        for draft in drafts:
            try:
                target = self._target(module, draft, holders[draft.id], known)
            except TurnedAwayError:
                raise  # whoever said that does not know the record
            except RefusedError as error:
                refused[draft.id] = Written(draft.id, str(error))
                continue
            wanted = _flags_to_write(draft, target)
            if target is None and "1" in wanted.values():
                refused[draft.id] = Written(draft.id, NO_ADDRESS)
            elif target is not None and wanted:
                flags[draft.id] = Draft(target.id, wanted)
        return refused | self._write_flags(flags)

    def _target(
        self, module: Module, draft: Draft, holder: Holder, known: dict[str, Address]
    ) -> Address | None:
        """Make the wanted address the record's only primary one; returns it."""
        email = draft.values.get(EMAIL)
        primary = holder.primary
        if email is None or normal_email(email) == normal_email(holder.email):
            return primary
        target = None
        if email.strip():
            target = known.get(normal_email(email)) or self._create(email, draft)
            known[normal_email(email)] = target
            self._link(module, draft.id, target, delete=False)
        if primary is not None:
            self._link(module, draft.id, primary, delete=True)
        return target

    def _link(self, module: Module, record_id: str, address: Address, *, delete: bool) -> None:
        self._service.set_relationship(module, record_id, _LINK, [address.id], delete=delete)

    def _create(self, email: str, draft: Draft) -> Address:
        """Add a row; it is looked for before every try, so a lost answer leaves no second one."""
        flags = {name: is_set(draft.values.get(name, "")) for name in COLUMN_OF}
        record = [
            NameValue("email_address", to_wire(email.strip())),
            NameValue("email_address_caps", to_wire(email.strip().upper())),
            *(NameValue(COLUMN_OF[name], _digit(flags[name])) for name in COLUMN_OF),
        ]
        row_id = self._service.set_entry("EmailAddresses", record)
        return Address(row_id, email.strip(), flags)

    def _write_flags(self, flags: Mapping[str, Draft]) -> dict[str, Written]:
        rows = {draft.id: draft for draft in flags.values()}
        size = self._size if self._service.profile.batch_writes else 1
        written = write_in_batches(
            list(rows.values()), size=size, send=self._send_flags, applied=self._show_flags
        )
        refused = {answer.id: answer for answer in written if answer.refused}
        return {
            owner: msgspec.structs.replace(refused[row.id], id=owner)
            for owner, row in flags.items()
            if row.id in refused
        }

    def _send_flags(self, rows: Sequence[Draft]) -> Told:
        records = [_flag_record(row) for row in rows]
        if len(records) == 1:
            return {self._service.set_entry("EmailAddresses", records[0]): None}
        return dict.fromkeys(self._service.set_entries("EmailAddresses", records))

    def _show_flags(self, rows: Sequence[Draft]) -> set[str]:
        asked = id_among("EmailAddresses", [row.id for row in rows])
        answer = self._service.entry_list("EmailAddresses", asked, _ROW, len(rows))
        now = [_address(plain_values(entry.name_value_list)) for entry in answer.entry_list]
        have = {address.id: address.flags for address in now}
        return {
            row.id
            for row in rows
            if row.id in have and all(have[row.id][n] == is_set(v) for n, v in row.values.items())
        }


def _keeping(draft: Draft, known: Mapping[str, Address], *, named_win: bool) -> Draft:
    if not draft.values.get(EMAIL, "").strip():
        return draft
    address = known[normal_email(draft.values[EMAIL])]
    kept = {name: "1" for name, on in address.flags.items() if on}
    return Draft(draft.id, {**kept, **draft.values} if named_win else {**draft.values, **kept})


def _wanted(draft: Draft) -> Address:
    """The address that `draft` gives, with the flags that it sets."""
    flags = {name: is_set(draft.values.get(name, "")) for name in COLUMN_OF}
    return Address("", draft.values.get(EMAIL, "").strip(), flags)


def _flags_to_write(draft: Draft, target: Address | None) -> dict[str, str]:
    """The flags that `draft` names and that differ from those the address has."""
    named = {name: is_set(draft.values[name]) for name in COLUMN_OF if name in draft.values}
    return {
        name: _digit(wanted)
        for name, wanted in named.items()
        if target is None or target.flags[name] != wanted
    }


def _flag_record(row: Draft) -> Record:
    pairs = ((COLUMN_OF[name], value) for name, value in row.values.items())
    return [NameValue("id", row.id), *(NameValue(column, value) for column, value in pairs)]


def _address(values: Mapping[str, str]) -> Address:
    flags = {name: is_set(values.get(column, "")) for name, column in COLUMN_OF.items()}
    return Address(values.get("id", ""), values.get("email_address", ""), flags)


def _state(values: Mapping[str, str]) -> AddressState:
    return AddressState(
        id=values.get("id", ""),
        address=values.get("email_address", ""),
        modified_at=values.get("date_modified", ""),
        opted_out=is_set(values.get("opt_out", "")),
        invalid=is_set(values.get("invalid_email", "")),
    )


def _stricter(one: Address, other: Address) -> Address:
    return Address(one.id, one.address, {n: one.flags[n] or other.flags[n] for n in COLUMN_OF})


def _digit(flag: bool) -> str:
    return "1" if flag else "0"
