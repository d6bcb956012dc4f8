"""Pages read ahead: the next one is fetched while the present one is merged and committed."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from sugarcrm.crm import Page, Position


def read_ahead(fetch: Callable[[Position | None], Page], after: Position | None) -> Iterator[Page]:
    """Give page after page from `after` on; the last one has no position to go on from.

    One page is read ahead and no more, so memory stays at two pages.
    """
    context = copy_context()  # the pool's thread is in the lane, and in the logs, of this one
    with ThreadPoolExecutor(1, thread_name_prefix="pages") as pool:
        coming = pool.submit(context.run, fetch, after)
        while True:
            page = coming.result()
            if page.after is None:
                yield page
                return
            coming = pool.submit(context.run, fetch, page.after)
            yield page
