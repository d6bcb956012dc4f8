"""Every key that an installation leaves in Redis is in the one table."""

import re

import store
from events import EmailSent, FormSubmitted, PageVisited, ProgramTick
from sync.lists import FormSetting, MessageSetting, Program, Step
from sync.setup import PullSetup, PushSetup

LEADS = "all-sugarcrm-leads"


def patterns():
    """The first column of the table, as regular expressions."""
    rows = [line for line in store.__doc__.splitlines() if line.startswith("| ")][1:]
    names = [name.strip() for row in rows for name in row.split("|")[1].split(",")]
    return [re.sub(r"\\\{\w+\\\}|\\\*", ".+", re.escape(name)) for name in names]


def test_every_key_is_in_the_table(loop):
    loop.import_all(columns=("email1", "last_name", "lead_score_c"))
    push = PushSetup(add_new=True, update_existing=True, fields=("lead_score_c",))
    loop.allow(LEADS, push, PullSetup(add_new=True, update_existing=True))
    loop.app.programs.put(
        "p", Program(id="p", name="P", list=LEADS, steps=(Step(name="s", field="lead_score_c"),))
    )
    loop.app.forms.put("f", FormSetting(form="f", module="Leads", mapping={"e": "email1"}))
    loop.app.messages.put("m", MessageSetting(message="m", note=True))
    loop.publish(FormSubmitted(form="f", fields={"e": "keys@example.com"}))
    loop.publish(EmailSent(message="m", email="keys@example.com"))
    loop.publish(PageVisited(url="/", email="keys@example.com"))
    loop.publish(ProgramTick(program="p"))
    loop.sync(LEADS)

    keys = [key.decode() for key in loop.app.client.keys("*")]

    assert len(keys) > 15
    assert [key for key in keys if not any(re.fullmatch(p, key) for p in patterns())] == []
