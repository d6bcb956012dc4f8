"""Pages read ahead, on threads that keep no process from ending."""

import subprocess
import sys
import textwrap
import threading
import time

import pytest

from sugarcrm.crm import Page, Position
from workers.pages import read_ahead

ENDLESS = """
    import threading, time
    from sugarcrm.crm import Page, Position
    from workers.pages import read_ahead

    def fetch(at):
        if at:
            print("reading ahead", flush=True)
            time.sleep(60)
        return Page((), Position("", "1"))

    threading.Thread(target=lambda: list(read_ahead(fetch, None)), daemon=True).start()
    time.sleep(0.5)
"""


class Book:
    """Three pages, and who read them."""

    def __init__(self):
        self.read, self.threads = [], set()

    def fetch(self, at):
        number = int(at.id) if at else 1
        self.read.append(number)
        self.threads.add(threading.get_ident())
        return Page((), Position("", str(number + 1)) if number < 3 else None)


@pytest.fixture
def book():
    return Book()


def test_pages_come_in_order_with_one_read_ahead(book):
    seen = []
    for page in read_ahead(book.fetch, None):
        seen.append(page.after.id if page.after else "end")
        time.sleep(0.05)
        assert len(book.read) == min(len(seen) + 1, 3)

    assert seen == ["2", "3", "end"]
    assert threading.get_ident() not in book.threads


def test_a_page_that_cannot_be_read_fails_where_it_is_asked_for():
    def fetch(at):
        if at:
            raise OSError("no more")
        return Page((), Position("", "2"))

    pages = read_ahead(fetch, None)
    assert next(pages).after.id == "2"
    with pytest.raises(OSError, match="no more"):
        next(pages)


def test_no_page_is_read_any_more_once_the_caller_goes_on_to_something_else(book):
    pages = read_ahead(book.fetch, None)
    next(pages)
    pages.close()
    assert book.read == [1, 2]


def test_a_process_ends_while_a_page_is_being_read():
    began = time.monotonic()
    command = [sys.executable, "-c", textwrap.dedent(ENDLESS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout == "reading ahead\n"
    assert time.monotonic() - began < 20
