"""What `dramatiq workers.main` imports: sets the broker, then declares the actors on it.

A Redis that is away is not waited for here: dramatiq's parent process is deaf to SIGTERM until
this import is over. The consumers wait, before they fetch anything.
"""

import importlib
import os

import dramatiq

from store.trust import UntrustworthyError
from workers import actors, broker, logs, settings
from workers.trusted import REFUSED, Trust, trusted_or_exit

_settings = settings.load()
_redaction = logs.set_up(_settings)
_trust = Trust(_settings, "workers")


def _may_work() -> bool:
    try:
        return _trust.given or _trust.look()
    except UntrustworthyError:
        os._exit(REFUSED)  # a thread cannot end its process otherwise; nothing was fetched yet


dramatiq.set_broker(broker.connect(_settings, _redaction, may_work=_may_work))

trusted_or_exit(_trust)
for _module in actors.MODULES:  # an actor belongs to the broker that is set when it is imported
    importlib.import_module(_module)
