"""What `dramatiq workers.main` imports: sets the broker, then declares the actors on it."""

import importlib

import dramatiq

from workers import actors, broker, logs, settings
from workers.trusted import trust_or_exit

_settings = settings.load()


dramatiq.set_broker(broker.connect(_settings, logs.set_up(_settings)))

trust_or_exit(_settings, "workers")
for _module in actors.MODULES:  # an actor belongs to the broker that is set when it is imported
    importlib.import_module(_module)
