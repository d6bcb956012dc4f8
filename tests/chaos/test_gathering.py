"""What is read from SugarCRM's journal, and what is found in files."""

import json

from chaos.evidence import Writes
from chaos.far_end import FarEndProcess
from chaos.gathering import writes
from chaos.scanning import live, scan, secrets_of
from chaos.size import SMOKE


def line(user, *wrote, module="Contacts", **more):
    return {"user": user, "module": module, "wrote": wrote, **more}


def test_writes_are_repeated_when_nothing_happened_in_between(tmp_path):
    far_end = FarEndProcess(tmp_path, SMOKE, 1, "secret")
    lines = [
        line("admin", ["c1", "created", "aa"], fault="latency+swallow"),
        line("admin", ["c1", "changed", "bb"], ["c2", "changed", "bb"]),
        line("admin", ["c1", "changed", "bb"]),  # again
        line("apiuser", ["c2", "changed", "cc"]),
        line("admin", ["c2", "changed", "bb"]),  # put back over another's edit: not the same
        line("admin", ["n1", "created", "dd"], module="Notes"),
        line("admin", ["c1", "created", "aa"]),  # created a second time
    ]
    far_end.journal.write_text("".join(f"{json.dumps(each)}\n" for each in lines))

    made, struck = writes(far_end, silent_from=4)

    assert made == Writes(total=6, created_twice=1, repeated=1, in_silence=2)
    assert struck == {"latency": 1, "swallow": 1}


def test_a_secret_is_found_in_whatever_was_written(tmp_path):
    leaky, clean, empty = tmp_path / "leaky.log", tmp_path / "clean.log", tmp_path / "empty"
    leaky.write_text("password=hunter2 and 2ab96390c7dbe3439de74d0c9b0b1767\n")
    clean.write_text("nothing to see")
    empty.touch()
    secrets = secrets_of({"the password": "hunter2"}, ["session-one"])

    found = scan([leaky, clean, empty], secrets).found

    assert set(secrets) == {"the password", "the password, hashed by md5", "session 0"}
    assert set(found) == {
        "the password in leaky.log",
        "the password, hashed by md5 in leaky.log",
    }


def test_a_text_is_found_in_every_kind_of_key(redis_client):
    redis_client.set("string", "of ana@example.com")
    redis_client.hset("hash", "ana@example.com", "1")
    redis_client.sadd("set", "ana@example.com")
    redis_client.zadd("zset", {"ana@example.com": 1})
    redis_client.rpush("list", "ana@example.com")
    redis_client.xadd("stream", {"event": "ana@example.com"})
    redis_client.set("name of ana@example.com", "1")
    redis_client.set("other", "bea@example.com")

    found = live(redis_client, "ana@example.com")

    kinds = ["hash", "list", "name of ana@example.com", "set", "stream", "string", "zset"]
    assert sorted(found) == kinds
