"""Workers that take turns: real code, stopped at every call to the store or to SugarCRM.

Each worker has a thread, and exactly one of them runs at any moment. At a pause it is drawn who
goes on, and whether the one that paused is killed, or sleeps so long that it is thought dead.
"""

import threading
from collections.abc import Callable
from contextlib import suppress

from store.records import StaleRecordsError
from sync.failure import Ambiguous, Retriable

AGAIN = (Retriable, Ambiguous, StaleRecordsError)  # the message comes again
KILLED, ASLEEP = 0.01, 0.025  # of all pauses, in troubled times
NAPS = (5, 60, 150)  # ticks; the longer ones outlast a lease
AT_ONCE = 3


class Killed(BaseException):
    """What SIGKILL is to a worker: nothing in it catches this."""


class _Thread:
    """A thread that is used again for the next worker; to start one is dear."""

    def __init__(self):
        self.baton, self.job = threading.Lock(), None
        self.baton.acquire()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            self.baton.acquire()
            self.job()


_idle: list[_Thread] = []


class Worker:
    """One delivery of a message."""

    def __init__(self, work: Callable[[], None], message, began):
        self.work, self.message, self.began = work, message, began
        self.dead, self.until, self.thread = False, 0, None


class Stage:
    """`now` is the clock, in ticks: a pause is one. `tick` is called at each."""

    def __init__(self, luck, tick):
        self.luck, self.tick, self.now = luck, tick, 0
        self.troubled, self.present, self.crash = True, None, None
        self.workers, self.messages = [], []
        self._main = threading.Lock()
        self._main.acquire()

    def send(self, message, delay=0):
        """Have a message delivered from `delay` ticks on."""
        self.messages.append((self.now + delay, message))

    def pause(self, *, awake=False):
        """Something else may happen here; with `awake`, nobody falls asleep for long.

        Raises:
            Killed: the worker that is here is no more.
        """
        me = self.present
        if me is not None and me.dead:
            raise Killed
        self._advance()
        if me is None:
            return
        if self.troubled:
            self._fate(me, NAPS[:1] if awake else NAPS)
        self._switch(me)

    def _advance(self):
        self.now += 1
        here, self.present = self.present, None
        self.tick()
        self.present = here

    def _fate(self, me, naps):
        fate = self.luck.random()
        if fate < KILLED:
            me.dead = True
            self.send(me.message, self.luck.randint(3, 20))
            raise Killed
        if fate < ASLEEP:
            nap = self.luck.choice(naps)
            me.until = self.now + nap
            if nap > NAPS[0]:  # it is thought dead
                self.send(me.message, self.luck.randint(3, 20))

    def _switch(self, me):
        other = self._drawn()
        if other is me:
            return
        self._hand_to(other)
        me.thread.baton.acquire()
        self.present = me
        if me.dead:
            raise Killed

    def _drawn(self):
        """The worker that goes on; None for the director, who may start another."""
        awake = [worker for worker in self.workers if worker.until <= self.now]
        if not awake or self.luck.random() < 0.1:
            return None
        return awake[0] if len(awake) == 1 else self.luck.choice(awake)

    def _hand_to(self, worker):
        (self._main if worker is None else worker.thread.baton).release()

    def play(self, until, deliver):
        """Deliver messages until the clock says `until`, or for ever when something crashed."""
        while self.now < until and self.crash is None:
            message = self._due()
            if message is not None:
                self._start(deliver, message)
            worker = self._drawn()
            if worker is None:
                self._advance()
            else:
                self._let_go_on(worker)

    def calm(self, deliver):
        """Let everybody who is on stage come to an end."""
        self.troubled = False
        while self.workers and self.crash is None:
            worker = self._drawn()
            if worker is None:
                self._advance()
            else:
                self._let_go_on(worker)

    def play_alone(self, until, deliver):
        """Deliver one message after the other, in this thread."""
        while self.now < until:
            message = self._due()
            if message is None:
                self._advance()
                continue
            try:
                deliver(message)
            except AGAIN:
                self.send(message, 2)

    def close(self):
        """Kill who is left."""
        for worker in list(self.workers):
            worker.dead = True
            while worker in self.workers:
                self._let_go_on(worker)

    def _due(self):
        if len([w for w in self.workers if w.until <= self.now]) >= AT_ONCE:
            return None
        for at, pair in enumerate(self.messages):
            if pair[0] <= self.now:
                return self.messages.pop(at)[1]
        return None

    def _start(self, deliver, message):
        worker = Worker(lambda: deliver(message), message, self.now)
        worker.thread = _idle.pop() if _idle else _Thread()
        worker.thread.job = lambda: self._job(worker)
        self.workers.append(worker)

    def _let_go_on(self, worker):
        self._hand_to(worker)
        self._main.acquire()
        self.present = None

    def _job(self, worker):
        self.present = worker
        try:
            with suppress(Killed):
                worker.work()
        except AGAIN:
            self.send(worker.message, self.luck.randint(1, 6))
        except BaseException as error:
            self.crash = error
        self.workers.remove(worker)
        _idle.append(worker.thread)
        self._main.release()
