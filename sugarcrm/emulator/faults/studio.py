"""Studio: an administrator removes a field, or makes it another sort of, and takes that back."""

import msgspec

from sugarcrm.emulator.faults.spec import Spec
from sugarcrm.emulator.schema import Field, Schema

REMOVED = "removed"


class Studio:
    """Changes the fields of leads and contacts as the faults in force say; follow a board with it.

    The columns of the database stay, with what is in them, as SugarCRM leaves them.
    """

    def __init__(self, schema: Schema) -> None:
        self._modules = [schema[name] for name in ("Leads", "Contacts")]
        self._original: list[dict[str, Field]] = [dict(m.fields) for m in self._modules]

    def follow(self, spec: Spec) -> None:
        """Put every field back, then change those that the faults name."""
        for module, original in zip(self._modules, self._original, strict=True):
            fields = dict(original)
            for name, kind in spec.studio.items():
                if kind == REMOVED:
                    fields.pop(name, None)
                elif name in fields:
                    fields[name] = msgspec.structs.replace(fields[name], type=kind, options=None)
            module.fields.update(fields)
            for gone in original.keys() - fields.keys():
                module.fields.pop(gone, None)
