"""Whether a value may go into a field, and the form in which SugarCRM keeps it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation

from console.exits import InputError
from sync.catalogue import FieldDef
from sync.field_types import FRACTIONS, INSTANTS, MOST_DIGITS, WHOLE

_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def checked(field: FieldDef, text: str) -> str:
    """Give `text` in the form that SugarCRM keeps in `field`; "" empties it.

    Raises:
        InputError: names the field and the allowed form.
    """
    if not field.writable:
        raise InputError(f"{field.name}: SugarCRM does not let it be written")
    value = text.strip()
    if not value:
        if field.required:
            raise InputError(f"{field.name}: SugarCRM needs a value here")
        return ""
    check = _FORMS.get(field.type)
    value = check(field, value) if check else value
    if field.length and len(value) > field.length:
        raise InputError(
            f"{field.name}: {len(value)} characters, and SugarCRM keeps {field.length}"
        )
    return value


def checked_address(name: str, text: str) -> str:
    """Give an address as it is; "" empties the field.

    Raises:
        InputError: it is not of the form of an address.
    """
    from email_validator import EmailNotValidError, validate_email

    address = text.strip()
    if not address:
        return ""
    try:
        # A test domain is fine here: whether mail arrives is not ours to say.
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as problem:
        raise InputError(f"{name}: {text!r} is no address ({problem})") from problem
    return address


def _option(field: FieldDef, value: str) -> str:
    options = field.options
    if options is None or value in options:
        return value
    for key, label in options.items():
        if value.casefold() in (label.casefold(), key.casefold()):
            return key
    raise InputError(f"{field.name}: {value!r} is none of {', '.join(k for k in options if k)}")


def _options(field: FieldDef, value: str) -> str:
    """Several options, apart by commas, in SugarCRM's own spelling."""
    chosen = [_option(field, part.strip().strip("^")) for part in value.split(",")]
    return ",".join(f"^{key}^" for key in chosen)


def _yes_or_no(field: FieldDef, value: str) -> str:
    if value.casefold() in _TRUE | _FALSE:
        return "1" if value.casefold() in _TRUE else "0"
    raise InputError(f"{field.name}: {value!r} is neither yes nor no")


def _whole(field: FieldDef, value: str) -> str:
    try:
        return str(int(value))
    except ValueError:
        raise InputError(f"{field.name}: {value!r} is no whole number") from None


def _number(field: FieldDef, value: str) -> str:
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number.adjusted()) > MOST_DIGITS:
        raise InputError(f"{field.name}: {value!r} is no number, such as 12.50")
    return value


def _date(field: FieldDef, value: str) -> str:
    return _moment(field, value, {"%Y-%m-%d": "%Y-%m-%d"}, "YYYY-MM-DD")


def _instant(field: FieldDef, value: str) -> str:
    stored = "%Y-%m-%d %H:%M:%S"
    forms = {stored: stored, "%Y-%m-%d %H:%M": stored, "%Y-%m-%d": stored}
    return _moment(field, value, forms, "YYYY-MM-DD HH:MM:SS, in UTC")


def _moment(field: FieldDef, value: str, forms: Mapping[str, str], allowed: str) -> str:
    for form, stored in forms.items():
        try:
            moment = datetime.strptime(value, form)  # noqa: DTZ007  SugarCRM's dates are naive UTC
        except ValueError:
            continue
        return moment.strftime(stored)
    raise InputError(f"{field.name}: {value!r} is not of the form {allowed}")


def _address(field: FieldDef, value: str) -> str:
    return checked_address(field.name, value)


_FORMS: Mapping[str, Callable[[FieldDef, str], str]] = {
    "enum": _option,
    "radioenum": _option,
    "multienum": _options,
    "bool": _yes_or_no,
    **dict.fromkeys(WHOLE, _whole),
    **dict.fromkeys(FRACTIONS, _number),
    "date": _date,
    **dict.fromkeys(INSTANTS, _instant),
    "email": _address,
}
