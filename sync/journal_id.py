"""Ids of the journal, `<milliseconds>-<number>`: when it was accepted, then the order in that."""


def order_of(journal_id: str) -> tuple[int, int]:
    """Give what puts ids in the order of their acceptance, which their text does not."""
    ms, _, number = journal_id.partition("-")
    return int(ms or 0), int(number or 0)


def accepted_s(journal_id: str) -> float:
    """Give when this was accepted, in seconds of the store's clock since 1970."""
    return order_of(journal_id)[0] / 1000
