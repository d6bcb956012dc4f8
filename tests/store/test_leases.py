import time

import pytest

from store.leases import HeldError, Leases


@pytest.fixture
def leases(redis_client):
    return Leases(redis_client)


def test_a_held_name_is_refused_until_it_is_free(leases):
    lease = leases.acquire("run:1", 10)

    with pytest.raises(HeldError, match="run:1 is held for") as caught:
        leases.acquire("run:1", 10)
    assert 9 < caught.value.retry_in_s <= 10
    assert leases.acquire("run:2", 10)

    assert lease.release()
    assert leases.acquire("run:1", 10).token > lease.token


def test_a_late_holder_neither_renews_nor_frees_anothers_lease(leases):
    late = leases.acquire("run:1", 0.02)
    time.sleep(0.04)
    present = leases.acquire("run:1", 10)

    assert late.renew() is False
    assert late.release() is False
    assert late.time_left_s() == 0
    assert present.token > late.token
    assert 9 < present.time_left_s() <= 10


def test_renewing_starts_the_full_length_again(leases):
    lease = leases.acquire("run:1", 0.2)
    time.sleep(0.12)

    assert lease.time_left_s() < 0.1
    assert lease.renew() is True
    assert lease.time_left_s() > 0.15


def test_the_stored_value_is_the_decimal_token_for_scripts_to_check(leases, redis_client):
    redis_client.set("leases:token", 99_999_999_999_999)  # Lua would print this as 1e+14
    lease = leases.acquire("run:1", 10)

    assert lease.key == "lease:run:1"
    assert redis_client.get(lease.key) == b"100000000000000"
    assert lease.token == 100_000_000_000_000
    assert lease.renew() is True
    assert 0 < redis_client.pttl(lease.key) <= 10_000


def test_a_failure_inside_the_block_frees_the_name(leases):
    with pytest.raises(ZeroDivisionError), leases.held("person:1", 10):
        raise ZeroDivisionError

    assert leases.acquire("person:1", 10)
