"""What other systems and people do meanwhile, all at once."""

from chaos.garbage import Garbage
from chaos.ledger import Ledger
from chaos.people import People
from chaos.site import Site
from chaos.size import Size
from chaos.stream import Stream


class Load:
    """A stream of events, rubbish in between, and edits in SugarCRM and in the lists."""

    def __init__(self, whole: Site, size: Size, seed: int, token: str, ledger: Ledger) -> None:
        self.stream = Stream(whole.web_url, token, size, seed, ledger)
        self._garbage = Garbage(whole.web_url, token, size.garbage_per_s, seed, ledger)
        self._people = People(whole.app, whole.far_end.url, size, seed, ledger)

    def start(self, addresses: list[str]) -> None:
        """Begin; mails of the stream go to `addresses`."""
        self._people.start()
        self._garbage.start()
        self.stream.start(addresses)

    def stop(self) -> None:
        """Begin nothing new; the stream goes on sending what was not accepted yet."""
        for part in (self.stream, self._garbage, self._people):
            part.stop()
