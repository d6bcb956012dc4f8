"""Pages read ahead: the next one is fetched while the present one is merged and committed."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextvars import copy_context

from sugarcrm.crm import Page, Position


def read_ahead(fetch: Callable[[Position | None], Page], after: Position | None) -> Iterator[Page]:
    """Give page after page from `after` on; the last one has no position to go on from.

    One page is read ahead and no more, so memory stays at two pages.
    """
    coming = _read_beside(fetch, after)
    try:
        while True:
            page = coming.result()
            if page.after is None:
                yield page
                return
            coming = _read_beside(fetch, page.after)
            yield page
    finally:
        wait([coming])  # no call goes out once the caller has gone on to something else


def _read_beside(fetch: Callable[[Position | None], Page], at: Position | None) -> Future[Page]:
    """Read a page in a thread of its own, in the lane and in the logs of this one.

    It is a daemon: a pool's threads would keep a process that was told to stop from ending.
    """
    coming: Future[Page] = Future()
    context = copy_context()

    def read() -> None:
        try:
            coming.set_result(context.run(fetch, at))
        except BaseException as problem:
            coming.set_exception(problem)

    threading.Thread(target=read, name="pages", daemon=True).start()
    return coming
