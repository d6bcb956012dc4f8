"""Telling a page that a server cut short from one that ends because there is no more."""

_LEAST_CAP = 20  # SugarCRM's own page size; no server cuts to less


class PageCap:
    """Learns from the pages that come what the server gives at least, whatever is asked.

    Some servers cut max_results without a word, and a cut page looks like the last one.
    """

    def __init__(self) -> None:
        self._widest = _LEAST_CAP

    def learn(self, rows: int) -> None:
        """Note that a page of this many rows came."""
        self._widest = max(self._widest, rows)

    def may_have_cut(self, rows: int, asked: int) -> bool:
        """Say whether more rows may be there than came: fewer did than were asked for, and no
        wider page has come from this server so far."""
        return self._widest <= rows < asked
