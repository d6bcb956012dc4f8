"""The users that a server under test must have."""

PEOPLE = {
    "admin": ("admin", "Adm1n!pass"),
    "rep": ("apiuser", "Api!pass1"),
    "limited": ("limited", "Lim!pass1"),  # may not edit, delete or export leads, sees no contacts
    "owner": ("ownonly", "Own!pass1"),  # only leads of its own
}
