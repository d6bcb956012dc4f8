"""Values from and to the wire."""

import pytest

from sugarcrm.values import from_wire, to_wire


@pytest.mark.parametrize(
    ("name", "sent", "text"),
    [
        ("last_name", "O&#039;Brien", "O'Brien"),
        ("description", "1 &lt; 2 &gt; 0 &quot;q&quot;", '1 < 2 > 0 "q"'),
        ("last_name", "R&D", "R&D"),
        ("behavior_c", "R&amp;D", "R&D"),
        ("behavior_c", "a &amp;lt; b", "a &lt; b"),  # once, not twice
        ("website", "http://e.x/?a=1&copy=2&lt=3", "http://e.x/?a=1&copy=2&lt=3"),
        ("description", "caf&eacute; &#8364; &#x20ac;", "café € €"),
        ("description", "&nosuchthing; &;", "&nosuchthing; &;"),
        ("email1", "a&amp;b@example.com", "a&amp;b@example.com"),
        ("email_address", "a&lt;@example.com", "a&lt;@example.com"),
        ("description", "a\x00b", "ab"),
        ("birthdate", False, ""),
        ("birthdate", "0000-00-00", ""),
        ("last_sync_c", "0000-00-00 00:00:00", ""),
        ("email_opt_out", False, "0"),
        ("email_opt_out", True, "1"),
        ("lead_score_c", 42, "42"),
        ("budget_c", 1234.5, "1234.5"),
        ("assigned_user_id", None, ""),
        ("interests_c", [], ""),
        ("interests_c", "^a^,^b^", "^a^,^b^"),
    ],
)
def test_from_wire(name, sent, text):
    assert from_wire(name, sent) == text


def test_the_server_cannot_read_control_characters_and_halves_of_pairs():
    assert to_wire("a\x01b\x00c\ud800d\te\nf") == "abcd\te\nf"


def test_text_goes_out_as_it_is():
    assert to_wire("R&D <b> 'q' &lt; 🙂") == "R&D <b> 'q' &lt; 🙂"
