"""How products and versions differ, as data: one `Dialect` per product and API version."""

from collections.abc import Sequence
from typing import Literal

import msgspec

API_VERSIONS = ("v2", "v2_1", "v3", "v3_1", "v4", "v4_1")


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What one API version of one product does; a comment says what a flag changes."""

    # the product
    product: Literal["suitecrm", "sugarcrm"]
    product_version: str = ""  # suitecrm_version of get_server_info, where it is given
    sugar_version: str
    php_8: bool  # named arguments, fatal errors where PHP 5 carried on
    sql_failure_status: int
    sql_failure_text: str
    tells_failed_sql: bool = False  # the failure is answered with the statement itself
    json_content_type: str
    updates_email: bool  # email1 and flags on an existing record take effect
    full_user_names: bool  # user names show as full names to everyone
    false_dates: bool  # an empty date reads as false
    utf8mb4: bool  # 4-byte characters survive
    text_bytes: int  # what a text column holds
    # every text is decoded, purified, encoded; or only unsafe ones; or only patterns in it
    cleaning: Literal["everything", "unsafe", "patterns"]
    new_id_made: bool  # new_with_id without an id gets one; else the database refuses
    checks_queries: bool  # subqueries and such are refused
    links_email_parents: bool  # saving an email links it to its parent

    early: bool = False  # 6.0 and 6.1: metadata, dates and links of their own kind
    revives_deleted: bool = False  # a write to a deleted record brings it back
    decodes_queries: bool = False  # entities in a query are decoded
    keeps_spelling: bool = False  # an address known already keeps its capitals
    anyone_writes_users: bool = False
    first: bool = False  # 6.0 alone: fewer required fields, shorter phones, `&amp;` is kept
    empty_choice_is_none: bool = False  # select_fields [] gives no fields, instead of all
    invalid_call: str = "An Undefined Error - invalid_call occurred"

    # the API version
    login_tolerant: bool = False  # login by name with missing or surplus arguments
    null_without_session: bool = False  # an empty session answers null
    login_fields: Literal["few", "preferences", "separators"] = "few"
    module_list: Literal["names", "labels", "favorites"] = "names"
    module_filter: bool = False
    names_product: bool = False  # get_server_info tells suitecrm_version
    field_details: Literal["few", "groups", "calculated", "lengths"] = "few"
    table_names: bool = False  # get_module_fields tells table_name
    fills_in_options: bool = False  # of booleans, and of the minutes of calls
    echoes_fields: bool = False  # set_entry answers with entry_list
    total_count: bool = False
    order_by: Literal["bare", "any", "ignored"] = "bare"
    deleted_alone: bool = True  # deleted=1 lists only deleted records
    list_needs_export: bool = True
    joins_users: bool = False  # unprefixed columns are ambiguous
    computed_fields: bool = False  # name, full_name, email_opt_out ... are given
    keyed_field_lists: bool = False  # select_fields may be an object
    linked_lists: bool = False  # get_entry_list answers with link_list
    linked_entries: bool = False  # get_entries answers with link_list
    checks_ids: bool = False
    null_list_creates: bool = True  # set_entry with name_value_list null
    fatal_enums_in_batches: bool = True
    keyed_batches: bool = False  # records of set_entries may be objects
    relationship_order: bool = False
    relationship_pages: bool = False  # offset, limit
    missing_parent_is_fatal: bool = False  # in get_relationships
    ids_of_related: bool = False  # get_relationships tells ids that were not asked for
    links_as_list: bool = False  # link_fields of get_module_fields is a list


def change(dialect: Dialect, **flags: object) -> Dialect:
    """Give a copy with some flags changed."""
    return msgspec.structs.replace(dialect, **flags)


def with_api_versions(v2: Dialect) -> dict[str, Dialect]:
    """Derive the later API versions of a product from its oldest."""
    v2_1 = change(v2, linked_lists=True)
    v3 = change(
        v2,
        login_fields="preferences",
        module_filter=True,
        field_details="groups",
        computed_fields=True,
        relationship_order=True,
    )
    v3_1 = change(
        v3,
        login_fields="separators",
        module_list="labels",
        names_product=True,
        field_details="calculated",
        table_names=True,
        fills_in_options=True,
        echoes_fields=True,
        total_count=True,
        order_by="ignored",
        joins_users=True,
        keyed_field_lists=True,
        linked_lists=True,
        checks_ids=v2.php_8,
        null_list_creates=False,
    )
    v4 = change(
        v3_1,
        login_tolerant=True,
        null_without_session=True,
        module_list="favorites",
        field_details="lengths",
        order_by="bare",
        deleted_alone=False,
        list_needs_export=False,
        linked_entries=True,
        fatal_enums_in_batches=False,
        keyed_batches=True,
    )
    v4_1 = change(v4, relationship_pages=True, missing_parent_is_fatal=True)
    return {"v2": v2, "v2_1": v2_1, "v3": v3, "v3_1": v3_1, "v4": v4, "v4_1": v4_1}


SUITECRM_7_14 = Dialect(
    product="suitecrm",
    product_version="7.14.6",
    sugar_version="6.5.25",
    php_8=True,
    sql_failure_status=500,
    sql_failure_text="Database failure. Please refer to suitecrm.log for details.",
    json_content_type="application/json; charset=UTF-8",
    updates_email=False,
    full_user_names=False,
    false_dates=False,
    utf8mb4=True,
    text_bytes=16_777_215,
    cleaning="everything",
    new_id_made=True,
    checks_queries=True,
    links_email_parents=True,
)

SUGARCRM_6_5 = Dialect(
    product="sugarcrm",
    sugar_version="6.5.23",
    php_8=False,
    sql_failure_status=200,
    sql_failure_text="Database failure. Please refer to sugarcrm.log for details.",
    json_content_type="application/json; charset=UTF-8",
    updates_email=True,
    full_user_names=True,
    false_dates=True,
    utf8mb4=False,
    text_bytes=65_535,
    cleaning="unsafe",
    new_id_made=False,
    checks_queries=True,
    links_email_parents=True,
    fatal_enums_in_batches=False,
)


# What each Community Edition had before it changed; from 6.5.15 on it is as 6.5.23.
SUGARCRM_6_5_25 = change(SUGARCRM_6_5, sugar_version="6.5.25")
SUGARCRM_6_5_14 = change(SUGARCRM_6_5, sugar_version="6.5.14", order_by="any")
SUGARCRM_6_5_0 = change(
    SUGARCRM_6_5_14,
    sugar_version="6.5.0",
    json_content_type="text/html; charset=UTF-8",
    invalid_call="An Undefined Error - invalid_call occured",
)
SUGARCRM_6_4 = change(SUGARCRM_6_5_0, sugar_version="6.4.4", cleaning="patterns")
SUGARCRM_6_3 = change(SUGARCRM_6_4, sugar_version="6.3.0", checks_queries=False, joins_users=True)
SUGARCRM_6_1 = change(
    SUGARCRM_6_3,
    sugar_version="6.1.4",
    links_email_parents=False,
    ids_of_related=True,
    keyed_field_lists=True,
    early=True,
    revives_deleted=True,
    decodes_queries=True,
    keeps_spelling=True,
    anyone_writes_users=True,
)
SUGARCRM_6_0 = change(
    SUGARCRM_6_1,
    sugar_version="6.0.0beta1",
    tells_failed_sql=True,
    first=True,
    empty_choice_is_none=True,
)


def community(v2: Dialect, names: Sequence[str], **v4_flags: object) -> dict[str, Dialect]:
    """Give the API versions of these names, which a Community Edition has; older ones have fewer.

    Where order_by works in the oldest API versions only, the later ones ignore it.
    """
    later = "any" if v2.order_by == "any" else "ignored"
    versions = with_api_versions(v2)
    versions["v3"] = change(versions["v3"], links_as_list=True)
    for name in ("v3_1", "v4", "v4_1"):
        versions[name] = change(versions[name], order_by=later)
    for name in ("v4", "v4_1"):
        versions[name] = change(versions[name], **v4_flags)
    return {name: versions[name] for name in names}


PROFILES: dict[str, dict[str, Dialect]] = {
    "suitecrm-7.14": with_api_versions(SUITECRM_7_14),
    "sugarcrm-ce-6.5.25": community(SUGARCRM_6_5_25, API_VERSIONS),
    "sugarcrm-ce-6.5": community(SUGARCRM_6_5, API_VERSIONS),
    "sugarcrm-ce-6.5.14": community(SUGARCRM_6_5_14, API_VERSIONS),
    "sugarcrm-ce-6.5.0": community(SUGARCRM_6_5_0, API_VERSIONS, deleted_alone=True),
    "sugarcrm-ce-6.4": community(
        SUGARCRM_6_4, API_VERSIONS, deleted_alone=True, missing_parent_is_fatal=False
    ),
    "sugarcrm-ce-6.3": community(SUGARCRM_6_3, API_VERSIONS[:5], deleted_alone=True),
    "sugarcrm-ce-6.1": community(SUGARCRM_6_1, API_VERSIONS[:3]),
    "sugarcrm-ce-6.0": community(SUGARCRM_6_0, API_VERSIONS[:1]),
}
