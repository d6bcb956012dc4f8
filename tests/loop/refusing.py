"""A call that SugarCRM refuses: it takes the place of a client's method."""

from typing import NoReturn

from sugarcrm.errors import RefusedError


def refusing(*_arguments: object) -> NoReturn:
    raise RefusedError("get_entry_list: SugarCRM error 40 (Access Denied)")
