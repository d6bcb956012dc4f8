"""Notes in the history of a lead or contact."""

from sugarcrm.crm import Note
from sugarcrm.errors import RefusedError
from sugarcrm.rest11.filters import Filter, alike, id_among
from sugarcrm.rest11.saving import Saved
from sugarcrm.rest11.service import Service
from sugarcrm.values import to_wire

_NAME_LENGTH = 255


class Notes:
    """Writes a note once, also when it is told to twice."""

    def __init__(self, service: Service, *, takes_ids: bool | None = None) -> None:
        self._service = service
        self._takes_ids = takes_ids  # None until the server has shown it

    def attach(self, note: Note) -> None:
        """Write the note unless it is there.

        By its id; on a server that gives ids of its own, by its record and texts.
        """
        body = _body(note)
        if self._is_there(note, body):
            return
        try:
            saved = self._service.write("POST", "Notes", body, Saved)
        except RefusedError:
            if not self._is_there(note, body):
                raise
            return
        self._takes_ids = saved.id.casefold() == note.id.casefold()

    def _is_there(self, note: Note, body: dict[str, str]) -> bool:
        """Say whether the note exists; one deleted since shows where the server lists such.

        As long as nobody knows whether it takes ids, both ways: the answer to the note that would
        have shown it may have been lost.
        """
        if self._takes_ids is not False and self._shows(id_among([note.id])):
            return True
        if self._takes_ids:
            return False
        told = ("name", "description", "parent_type", "parent_id")
        return self._shows(alike({name: body[name] for name in told if body[name]}))

    def _shows(self, where: Filter) -> bool:
        return bool(self._service.all("Notes", where, ["id"], with_deleted=True))


def _body(note: Note) -> dict[str, str]:
    """A contact's history lists notes by contact_id, a lead's by the parent."""
    fields = {
        "id": note.id,
        "name": to_wire(note.name)[:_NAME_LENGTH],
        "description": to_wire(note.description),
        "parent_type": note.module,
        "parent_id": note.record_id,
    }
    return fields | ({"contact_id": note.record_id} if note.module == "Contacts" else {})
