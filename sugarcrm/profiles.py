"""What each server does, by product and version, as data: one rule a family of versions.

Sources: measurements on SuiteCRM 7.14.6 and on twelve SugarCRM CE versions, 6.0 to 6.5.25.
"""

import re
from collections.abc import Collection
from typing import Literal

import msgspec

from sugarcrm.errors import NotSugarError
from sync.findings import Findings

ApiVersion = Literal["v4_1", "v4", "v3_1", "v3", "v2_1", "v2"]
Product = Literal["suitecrm", "sugarcrm"]
API_VERSIONS: tuple[ApiVersion, ...] = ("v4_1", "v4", "v3_1", "v3", "v2_1", "v2")  # newest first


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """How to talk to one server; each operation goes through the API version that does it right.

    `deleted_with_live` is the `deleted` argument that lists live and deleted rows together.
    `selects_flags`: listing gives email_opt_out and invalid_email when asked.
    `keeps_four_bytes`: emoji and the like come back; `offered`: the API versions that may be used.
    `email_in_place`: set_entry changes email1 and the flags of a record that has an address.
    """

    product: Product
    version: str
    list_api: ApiVersion
    count_api: ApiVersion
    metadata_api: ApiVersion
    write_api: ApiVersion
    login_api: ApiVersion
    deleted_with_live: int
    selects_flags: bool
    batch_writes: bool
    email_in_place: bool
    note_name_length: int = 255
    keeps_four_bytes: bool = True
    offered: tuple[ApiVersion, ...] = ()


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What a family of versions has in common; API versions stand in order of preference.

    `ordered`: get_entry_list sorts by bare column names there.
    `batched`: set_entries takes records with enum fields there.
    """

    product: Product
    since: tuple[int, ...]
    ordered: tuple[ApiVersion, ...]
    batched: tuple[ApiVersion, ...]
    email_in_place: bool


RULES: tuple[Rule, ...] = (
    # v3_1 ignores order_by; set_entries before v4 dies on enums under PHP 8.
    Rule(
        product="suitecrm",
        since=(0,),
        ordered=("v4_1", "v4", "v3", "v2_1", "v2"),
        batched=("v4_1", "v4"),
        email_in_place=False,
    ),
    # From 6.5.15 on v3_1, v4 and v4_1 ignore order_by; v3, v2_1 and v2 sort in every CE.
    Rule(
        product="sugarcrm",
        since=(0,),
        ordered=("v3", "v2_1", "v2"),
        batched=API_VERSIONS,
        email_in_place=True,
    ),
)

_LISTS_BOTH: dict[ApiVersion, int] = {
    "v4_1": 1,
    "v4": 1,
    "v3_1": -1,
    "v3": -1,
    "v2_1": -1,
    "v2": -1,
}
_OMITS_NON_DB: frozenset[ApiVersion] = frozenset({"v2", "v2_1"})
NULL_MEANS_NO_SESSION: frozenset[ApiVersion] = frozenset({"v4", "v4_1"})


def profile_for(product: Product, version: str, offered: Collection[ApiVersion]) -> Profile:
    """Choose how to talk to `product` `version` that answers on the `offered` API versions.

    Raises:
        NotSugarError: none of them lists in an order, and without that rows would be lost.
    """
    rule = _rule_for(product, version)
    newest = _first(API_VERSIONS, offered)
    list_api = _first(rule.ordered, offered)
    if newest is None or list_api is None:
        raise NotSugarError(f"{product} {version}: no API version here can list rows in order")
    batch_api = _first(rule.batched, offered)
    return Profile(
        product=product,
        version=version,
        list_api=list_api,
        count_api=newest,
        metadata_api=newest,
        write_api=batch_api or newest,
        login_api=newest,
        deleted_with_live=_LISTS_BOTH[list_api],
        selects_flags=list_api not in _OMITS_NON_DB,
        batch_writes=batch_api is not None,
        email_in_place=rule.email_in_place,
        offered=tuple(version for version in API_VERSIONS if version in offered),
    )


def listing_through(profile: Profile, api: ApiVersion) -> Profile:
    """Give the profile with another API version for lists, and what comes with that."""
    return msgspec.structs.replace(
        profile,
        list_api=api,
        deleted_with_live=_LISTS_BOTH[api],
        selects_flags=api not in _OMITS_NON_DB,
    )


def adapted(profile: Profile, findings: Findings | None) -> Profile:
    """Give the profile as a look at this very server corrects it; what is open stays."""
    if findings is None:
        return profile
    sorting = [api for api in profile.offered if api in (findings.ordered_apis or ())]
    if sorting and profile.list_api not in sorting:
        profile = listing_through(profile, sorting[0])
    batches = findings.batch_writes
    return msgspec.structs.replace(
        profile,
        batch_writes=profile.batch_writes if batches is None else batches,
        keeps_four_bytes=findings.four_bytes in (None, "kept"),
    )


def version_numbers(version: str) -> tuple[int, ...]:
    """Read "6.5.23" as (6, 5, 23), and "6.0.0beta1" as (6, 0, 0)."""
    return tuple(int(n) for n in re.findall(r"\d+", re.split(r"[^0-9.]", version)[0])) or (0,)


def _rule_for(product: Product, version: str) -> Rule:
    fitting = [r for r in RULES if r.product == product and r.since <= version_numbers(version)]
    return max(fitting, key=lambda r: r.since)


def _first(preferred: tuple[ApiVersion, ...], offered: Collection[ApiVersion]) -> ApiVersion | None:
    return next((api for api in preferred if api in offered), None)
