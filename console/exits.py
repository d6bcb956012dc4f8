"""From failures to a sentence and an exit code, in one place."""

from typing import NamedTuple

DONE = 0
FAILED = 1
USAGE = 2
PARTLY = 3
TRY_LATER = 75  # EX_TEMPFAIL of sysexits.h
INTERRUPTED = 130


class InputError(ValueError):
    """What was typed cannot be meant; names the option or field, and the allowed form."""


class MissingError(LookupError):
    """What was named is not there; says where to look."""

    def __str__(self) -> str:
        return str(self.args[0])


class RefusedError(Exception):
    """What was asked is understood, and not done; says why."""


class LaterError(Exception):
    """It did not come about in time; the same may do so later."""


class Verdict(NamedTuple):
    """How a command ends when it fails."""

    exit_code: int
    message: str


def verdict(problem: Exception) -> Verdict | None:
    """Give message and exit code of an expected failure; None for a defect of ours."""
    if isinstance(problem, BrokenPipeError):
        return None  # the reader had enough, as in `| head`: Typer ends quietly
    if _passes(problem):
        return Verdict(TRY_LATER, _sentence(problem))
    for exit_code, kinds in _expected():
        if isinstance(problem, kinds):
            return Verdict(exit_code, _sentence(problem))
    return None


def _passes(problem: Exception) -> bool:
    """Whether Redis may well do later what it did not now; a wrong password stays wrong."""
    import redis

    from store.away import is_away

    return is_away(problem) and not isinstance(problem, redis.AuthenticationError)


def _expected() -> tuple[tuple[int, tuple[type[Exception], ...]], ...]:
    """The whole mapping, the first that fits counts. Loaded on failure only: it imports a lot."""
    import redis

    from events import BadEventError, NotKeptError
    from store.connector import LoginRefusedError
    from store.dead_letters import DeadLetterMissingError, UnreadableLetterError
    from store.embedded import EmbeddedServerError
    from store.lists import ListExistsError, ListMissingError
    from store.plans import PlanMissingError
    from store.runs import RunMissingError
    from sync.failure import Permanent, Retriable
    from sync.schedule import ScheduleError
    from sync.setup import SetupError
    from sync.standard_fields import UsageError
    from workers.settings import SettingsError

    return (
        (USAGE, (InputError, ScheduleError, SettingsError, SetupError, UsageError, BadEventError)),
        (FAILED, (PlanMissingError,)),
        (FAILED, (MissingError, RefusedError, ListMissingError, RunMissingError, ListExistsError)),
        (
            FAILED,
            # A login that was refused waits for a person: trying later does not help.
            (DeadLetterMissingError, EmbeddedServerError, LoginRefusedError, Permanent),
        ),
        (FAILED, (UnreadableLetterError,)),
        (TRY_LATER, (Retriable, LaterError, NotKeptError)),
        (FAILED, (redis.AuthenticationError, redis.ResponseError, OSError)),
        (USAGE, (UnicodeError,)),
    )


def _sentence(problem: Exception) -> str:
    import redis

    if type(problem).__str__ is KeyError.__str__:
        return f"not there (any more): {problem.args[0]}"
    if isinstance(problem, UnicodeEncodeError):  # the whole of it may be a secret
        faulty = problem.object[problem.start : problem.end]
        return f"{faulty!a} is no text in {problem.encoding}: arguments must be in UTF-8"
    if isinstance(problem, UnicodeDecodeError):
        return f"what was read is no text in {problem.encoding}: it must be in UTF-8"
    text = str(problem)
    if isinstance(problem, redis.RedisError):
        return f"Redis: {text or type(problem).__name__}"
    return text or type(problem).__name__
