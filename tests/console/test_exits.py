"""Which exit code a failure becomes, and what is said of it."""

import pytest
import redis

from console.exits import FAILED, TRY_LATER, USAGE, verdict


@pytest.mark.parametrize(
    "problem",
    [
        redis.ConnectionError("refused"),
        redis.TimeoutError("too slow"),
        redis.ResponseError("MISCONF Errors writing to the AOF file: No space left on device"),
        redis.ResponseError("BUSY Redis is busy running a script."),
        redis.ResponseError("NOREPLICAS Not enough good replicas to write."),
        redis.ResponseError("OOM command not allowed script: 1f, on @user_script:1."),
        redis.exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
        redis.exceptions.ReadOnlyError("You can't write against a read only replica."),
        redis.exceptions.BusyLoadingError("Redis is loading the dataset in memory"),
    ],
    ids=lambda problem: str(problem).split()[0],
)
def test_what_redis_cannot_do_now_is_to_be_tried_later(problem):
    exit_code, said = verdict(problem)

    assert (exit_code, said) == (TRY_LATER, f"Redis: {problem}")


@pytest.mark.parametrize(
    "problem",
    [
        redis.AuthenticationError("invalid username-password pair"),
        redis.exceptions.NoPermissionError("this user has no permissions to run 'get'"),
        redis.ResponseError("WRONGTYPE Operation against a key"),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_what_redis_will_never_do_has_failed(problem):
    assert verdict(problem).exit_code == FAILED


def test_text_that_is_none_is_named_without_what_stands_around_it():
    with pytest.raises(UnicodeEncodeError) as written:
        "canary \udcff".encode()
    with pytest.raises(UnicodeDecodeError) as read:
        b"canary \xff".decode()

    assert verdict(written.value) == (
        USAGE,
        "'\\udcff' is no text in utf-8: arguments must be in UTF-8",
    )
    assert verdict(read.value) == (USAGE, "what was read is no text in utf-8: it must be in UTF-8")


def test_a_defect_of_ours_is_not_explained_away():
    assert verdict(ValueError("x")) is None
