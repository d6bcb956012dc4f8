"""Sessions: one call at a time on each, renewed once, and a refused password tried once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sugarcrm.crm import Account
from sugarcrm.errors import (
    AmbiguousError,
    BusyError,
    CredentialsError,
    PostponedError,
    RefusedError,
    SessionLostError,
)
from sugarcrm.lost import LostAnswerError, ServerFailedError
from sugarcrm.secret import Secret
from sugarcrm.session import IdleSessions, Login, SessionPool

ACCOUNT = Account("1", "admin", is_admin=True)


class Logins:
    def __init__(self, error=None):
        self.count, self.error = 0, error

    def __call__(self):
        self.count += 1
        if self.error:
            raise self.error
        return Login(Secret(f"session {self.count}"), ACCOUNT)


def pool_of(logins, size=2, wait_s=0.05):
    return SessionPool(logins, size=size, wait_s=wait_s, store=IdleSessions())


def used(pool):
    return pool.run(lambda session: session.reveal())


def failing(error):
    def call(_session):
        raise error

    return call


def test_a_session_is_used_again():
    logins = Logins()
    pool = pool_of(logins)
    assert [used(pool), used(pool), used(pool)] == ["session 1"] * 3
    assert pool.account() == ACCOUNT
    assert logins.count == 1


def test_calls_at_the_same_time_have_sessions_of_their_own():
    pool, meeting = pool_of(Logins(), size=3), threading.Barrier(3)

    def call(session):
        meeting.wait(5)
        return session.reveal()

    with ThreadPoolExecutor(3) as threads:
        sessions = list(threads.map(lambda _: pool.run(call), range(3)))
    assert sorted(sessions) == ["session 1", "session 2", "session 3"]


def test_no_more_calls_than_sessions_and_to_wait_for_one_is_no_failure_that_counts():
    pool = pool_of(Logins(), size=1)
    with pytest.raises(PostponedError, match="in use"):
        pool.run(lambda _: used(pool))
    assert used(pool) == "session 1"


def test_a_lost_session_is_renewed_once():
    logins, ended = Logins(), {"session 1"}
    pool = pool_of(logins)

    def call(session):
        if session.reveal() in ended:
            raise SessionLostError("ended")
        return session.reveal()

    assert pool.run(call) == "session 2"
    assert pool.run(call) == "session 2"
    with pytest.raises(SessionLostError):
        pool.run(failing(SessionLostError("ended")))
    assert logins.count == 3


def test_a_refused_password_is_tried_once_by_all_threads_together():
    logins = Logins(CredentialsError("login: SugarCRM error 10"))
    pool = pool_of(logins, size=8, wait_s=5)

    def attempt(_):
        with pytest.raises(CredentialsError):
            used(pool)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(attempt, range(20)))
    with pytest.raises(CredentialsError, match="not tried again"):
        pool.account()
    assert logins.count == 1


def test_a_login_that_found_nobody_in_is_tried_again():
    logins = Logins(BusyError("could not connect"))
    pool = pool_of(logins)
    for _ in range(3):
        with pytest.raises(BusyError):
            used(pool)
    logins.error = None
    assert used(pool) == "session 4"


@pytest.mark.parametrize("error", [LostAnswerError("late"), AmbiguousError("late")])
def test_a_session_that_may_still_be_at_work_is_not_lent(error):
    pool = pool_of(Logins())
    assert used(pool) == "session 1"
    with pytest.raises(type(error)):
        pool.run(failing(error))
    assert used(pool) == "session 2"


@pytest.mark.parametrize("error", [RefusedError("no"), ServerFailedError("500"), KeyError("bug")])
def test_a_session_outlives_a_refusal(error):
    pool = pool_of(Logins())
    with pytest.raises(type(error)):
        pool.run(failing(error))
    assert used(pool) == "session 1"


def test_idle_sessions_can_be_drained():
    pool = pool_of(Logins())
    used(pool)
    assert [session.reveal() for session in pool.drain()] == ["session 1"]
    assert used(pool) == "session 2"


def test_a_secret_does_not_print():
    assert "hush" not in f"{Secret('hush')} {Secret('hush')!r} {[Secret('hush')]}"
