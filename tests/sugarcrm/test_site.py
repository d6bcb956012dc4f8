"""Addresses of SugarCRM sites."""

import pytest

from sugarcrm.errors import NotSugarError
from sugarcrm.site import site_of


@pytest.mark.parametrize(
    ("given", "site"),
    [
        ("https://crm.example.com", "https://crm.example.com"),
        ("https://crm.example.com/", "https://crm.example.com"),
        ("https://crm.example.com/sugar/", "https://crm.example.com/sugar"),
        ("https://crm.example.com/sugar/index.php", "https://crm.example.com/sugar"),
        ("https://crm.example.com:8443/service/v4_1/rest.php", "https://crm.example.com:8443"),
        ("https://crm.example.com/sugar/service/v2/", "https://crm.example.com/sugar"),
        (" https://CRM.example.com/service/v2/soap.php ", "https://crm.example.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost/crm", "http://localhost/crm"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ],
)
def test_reduced_to_the_site(given, site):
    assert site_of(given) == site


@pytest.mark.parametrize(
    "given",
    [
        "",
        "crm.example.com",
        "ftp://crm.example.com",
        "http://crm.example.com",
        "http://localhost.example.com",
        "https://user:secret@crm.example.com",
        "https://user@crm.example.com",
        "https://crm.example.com/?a=b",
        "https://crm.example.com/#x",
        "https://crm.example.com:port",
        "https://169.254.169.254/",
        "https://[fe80::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://metadata.google.internal/",
        "https://[fd00:ec2::254]/",
    ],
)
def test_refused(given):
    with pytest.raises(NotSugarError) as refusal:
        site_of(given)
    assert "secret" not in str(refusal.value)


def test_http_elsewhere_must_be_allowed():
    assert site_of("http://crm.lan", allow_insecure=True) == "http://crm.lan"
