"""The fields of leads and contacts that SugarCRM keeps with an email address."""

from typing import Literal

from sync.consent import INVALID, OPT_OUT
from sync.identity import ADDRESS

EMAIL = ADDRESS
FlagColumn = Literal["opt_out", "invalid_email"]
COLUMN_OF: dict[str, FlagColumn] = {OPT_OUT: "opt_out", INVALID: "invalid_email"}
EMAIL_FIELDS = frozenset({EMAIL, *COLUMN_OF})
NO_ADDRESS = "no email address to hold the flag"
