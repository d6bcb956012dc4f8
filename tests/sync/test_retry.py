import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.failure import Ambiguous, Permanent, Postponed, Retriable
from sync.retry import GiveUp, TryAgain, after_failure


def decide(error, retries=0, max_retries=20, longest_s=3600.0, jitter=0.0):
    return after_failure(
        error, retries=retries, max_retries=max_retries, longest_s=longest_s, jitter=jitter
    )


@pytest.mark.parametrize(
    ("error", "retries", "decision"),
    [
        pytest.param(Retriable("busy", retry_in_s=7), 0, TryAgain(7.0), id="as it asks"),
        pytest.param(Retriable("busy", retry_in_s=7), 3, TryAgain(56.0), id="then twice as long"),
        pytest.param(Retriable("busy", retry_in_s=7), 15, TryAgain(3600.0), id="up to a bound"),
        pytest.param(Retriable("busy", retry_in_s=9000), 0, TryAgain(9000.0), id="never sooner"),
        pytest.param(Retriable("busy"), 20, GiveUp("failed 21 times"), id="not for ever"),
        pytest.param(
            Postponed("not yet", retry_in_s=60), 99, TryAgain(60.0, counted=False), id="uncounted"
        ),
        pytest.param(Ambiguous("lost", retry_in_s=1), 0, TryAgain(1.0), id="ambiguous"),
        pytest.param(Permanent("no"), 0, GiveUp("trying again cannot help"), id="permanent"),
        pytest.param(KeyError("x"), 0, TryAgain(15.0), id="unknown"),
        pytest.param(KeyError("x"), 3, GiveUp("failed 4 times"), id="unknown, a few times"),
    ],
)
def test_what_follows_a_failure(error, retries, decision):
    assert decide(error, retries) == decision


@given(st.floats(0.01, 10_000), st.integers(0, 19), st.floats(0, 1))
def test_a_wait_is_never_shorter_than_the_error_asks_nor_much_longer_than_the_bound(
    asked_s, retries, jitter
):
    decision = decide(Retriable("busy", retry_in_s=asked_s), retries, jitter=jitter)

    assert asked_s <= decision.in_s <= max(asked_s, 3600) * 1.25
