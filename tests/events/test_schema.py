import msgspec
import pytest

from events import TYPES
from events.schema import asyncapi, differing, event_schema, main


def references(value):
    if isinstance(value, dict):
        inner = [r for part in value.values() for r in references(part)]
        return [value["$ref"], *inner] if isinstance(value.get("$ref"), str) else inner
    if isinstance(value, list):
        return [r for part in value for r in references(part)]
    return []


def resolve(document, reference):
    for name in reference.removeprefix("#/").split("/"):
        document = document[name]
    return document


@pytest.mark.parametrize("make", [event_schema, asyncapi])
def test_every_reference_leads_somewhere(make):
    document = msgspec.to_builtins(make())

    assert references(document)
    assert all(resolve(document, reference) for reference in references(document))


def test_every_event_type_is_described_with_what_it_does():
    messages = asyncapi()["components"]["messages"]

    assert set(messages) == set(TYPES)
    assert all(message["summary"] and message["description"] for message in messages.values())
    assert "create_lead" in messages["FormSubmitted"]["description"]


def test_check_fails_with_the_remedy_until_the_documents_are_written(tmp_path, capsys):
    assert main(["--check", str(tmp_path)]) == 1
    assert "--write" in capsys.readouterr().err
    assert main(["--write", str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0
    (tmp_path / "asyncapi.json").write_text("{}")
    assert differing(tmp_path) == ["asyncapi.json"]
