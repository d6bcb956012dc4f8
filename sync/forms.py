"""What a submitted form writes to SugarCRM."""

from collections.abc import Mapping

import msgspec

from sync.canonical import Catalogue
from sync.identity import ADDRESS
from sync.lists import FormSetting


class FormRecord(msgspec.Struct, frozen=True):
    """The fields that a submission becomes, or `problem`: why it cannot become a record."""

    values: dict[str, str]
    problem: str = ""


def form_record(
    setting: FormSetting, submitted: Mapping[str, str], catalogue: Catalogue
) -> FormRecord:
    """Map a submission by the form's setting; blank answers are left out.

    Only mapped fields are written. A submission without a last name takes the first name, the
    company or the name in front of the address, since SugarCRM shows people by their last name.
    """
    values = {
        target: submitted[source].strip()
        for source, target in setting.mapping.items()
        if submitted.get(source, "").strip()
    }
    unwritable = [t for t in values if t not in catalogue or not catalogue[t].writable]
    if unwritable:
        return FormRecord({}, f"SugarCRM has no writable field {', '.join(sorted(unwritable))}")
    if not values:
        return FormRecord({}, "no mapped field was filled in")
    if not values.get("last_name"):
        stand_in = values.get("first_name") or values.get("account_name")
        values["last_name"] = stand_in or values.get(ADDRESS, "").partition("@")[0]
    if not values["last_name"]:
        return FormRecord({}, "neither a name nor an address was filled in")
    return FormRecord(values)


def email_of_form(fields: Mapping[str, str]) -> str:
    """The address in a submitted form, under whichever usual name; "" when there is none."""
    for name, value in fields.items():
        if name.casefold().replace("-", "").replace("_", "") in {"email", "email1", "emailaddress"}:
            return value
    return ""
