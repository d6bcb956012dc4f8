"""Every method that the API has: its parameters, its handler, and what it does about sessions."""

from sugarcrm.emulator import (
    link_methods,
    metadata,
    read_methods,
    search,
    session_methods,
    write_methods,
)
from sugarcrm.emulator.calling import Method, Parameter, signature
from sugarcrm.emulator.profiles import Dialect

READ_ONE = signature(
    "session module_name id select_fields link_name_to_fields_array track_view:v3_1",
    track_view=False,
)
READ_MANY = signature(
    "session module_name ids select_fields link_name_to_fields_array track_view:v3_1",
    track_view=False,
)
LIST = signature(
    "session module_name query order_by offset select_fields link_name_to_fields_array max_results"
    " deleted favorites:v3_1",
    session=None,
    module_name=None,
    query="",
    order_by="",
    offset=0,
    select_fields=(),
    link_name_to_fields_array=(),
    max_results=0,
    deleted=0,
    favorites=False,
)
RELATED = signature(
    "session module_name module_id link_field_name related_module_query related_fields"
    " related_module_link_name_to_fields_array deleted order_by:v3 offset:v4_1 limit:v4_1",
    order_by="",
    offset=0,
    limit=False,
)
LINK = signature("session module_name module_id link_field_name related_ids name_value_list delete")
LINKS = signature(
    "session module_names module_ids link_field_names related_ids name_value_lists delete_array"
)
SEARCH = signature(
    "session search_string modules offset max_results assigned_user_id:v3 select_fields:v3"
    " unified_search_only:v3_1 favorites:v4",
    assigned_user_id="",
    select_fields=(),
    unified_search_only=True,
    favorites=False,
)
LOGIN_STRICT = signature("user_auth application name_value_list")
LOGIN_V3_1 = signature("user_auth application name_value_list", name_value_list=())
LOGIN_TOLERANT = signature(
    "user_auth application name_value_list", application="", name_value_list=()
)

METHODS = {
    "login": Method(handler=session_methods.login, parameters=LOGIN_STRICT, session="login"),
    "logout": Method(handler=session_methods.logout, parameters=signature("session")),
    "seamless_login": Method(
        handler=session_methods.seamless_login,
        parameters=signature("session"),
        session="answer 0",
    ),
    "get_user_id": Method(handler=session_methods.get_user_id, parameters=signature("session")),
    "get_server_info": Method(
        handler=session_methods.get_server_info, parameters=(), session="none"
    ),
    "get_available_modules": Method(
        handler=metadata.get_available_modules,
        parameters=signature("session filter:v3", filter="all"),
        session="error 10",
    ),
    "get_module_fields": Method(
        handler=metadata.get_module_fields,
        parameters=signature("session module_name fields", fields=()),
    ),
    "get_module_fields_md5": Method(
        handler=metadata.get_module_fields_md5,
        parameters=signature("session module_name"),
        since="v3",
    ),
    "get_entry": Method(handler=read_methods.get_entry, parameters=READ_ONE),
    "get_entries": Method(
        handler=read_methods.get_entries,
        parameters=READ_MANY,
        remains={"relationship_list": []},  # v4 rewrites the list that it did not get
    ),
    "get_entry_list": Method(handler=read_methods.get_entry_list, parameters=LIST),
    "get_entries_count": Method(
        handler=read_methods.get_entries_count,
        parameters=signature("session module_name query deleted"),
    ),
    "get_note_attachment": Method(
        handler=read_methods.get_note_attachment, parameters=signature("session id")
    ),
    "set_campaign_merge": Method(
        handler=write_methods.set_campaign_merge,
        parameters=signature("session targets campaign_id"),
        session="error 10",
    ),
    "search_by_module": Method(
        handler=search.search_by_module, parameters=SEARCH, session="error 10"
    ),
    "set_entry": Method(
        handler=write_methods.set_entry,
        parameters=signature(
            "session module_name name_value_list track_view:v3_1", track_view=False
        ),
    ),
    "set_entries": Method(
        handler=write_methods.set_entries,
        parameters=signature("session module_name name_value_lists"),
    ),
    "get_relationships": Method(handler=link_methods.get_relationships, parameters=RELATED),
    "set_relationship": Method(handler=link_methods.set_relationship, parameters=LINK),
    "set_relationships": Method(handler=link_methods.set_relationships, parameters=LINKS),
}


def parameters_of(method: Method, version: str, dialect: Dialect) -> tuple[Parameter, ...]:
    """Give the parameters that a method has in this API version."""
    if method.session == "login" and dialect.login_tolerant:
        return LOGIN_TOLERANT
    if method.session == "login" and version == "v3_1":
        return LOGIN_V3_1
    return tuple(parameter for parameter in method.parameters if parameter.is_in(version))
