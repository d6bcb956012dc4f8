"""Passwords go as md5, or as they are where LDAP checks them; then over https only."""

import pytest

from sugarcrm.connect import connect
from sugarcrm.credentials import credentials
from sugarcrm.errors import NotSugarError
from tests.emulated import PASSWORD, USERNAME, emulator

MD5_OF_SECRET = "5ebe2294ecd0e0f08eab7690d2a6ee69"  # of "secret"


def test_a_password_goes_as_its_digest_and_shows_nowhere():
    who = credentials("https://crm.example.com", "api", "secret", ldap=False)

    assert who.user_auth()["password"].reveal() == MD5_OF_SECRET
    assert "encryption" not in who.user_auth()
    assert MD5_OF_SECRET not in repr(who)


def test_an_ldap_password_goes_as_it_is_and_shows_nowhere():
    who = credentials("https://crm.example.com", "api", "secret", ldap=True)

    assert who.user_auth()["password"].reveal() == "secret"
    assert who.user_auth()["encryption"] == "PLAIN"
    assert "secret" not in repr(who)


def test_an_ldap_password_never_crosses_a_network_readably():
    with pytest.raises(NotSugarError, match="https only"):
        credentials("http://crm.example.com", "api", "secret", ldap=True)


@pytest.mark.parametrize("api", ["v2", "v4_1"])
def test_a_server_takes_a_password_as_it_is(tmp_path, api):
    with emulator(tmp_path) as running:
        crm = connect(running.url, USERNAME, PASSWORD, api=api, ldap=True)

        assert crm.login().user_name == USERNAME

        crm.close()
