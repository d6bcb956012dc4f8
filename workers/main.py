"""What `dramatiq workers.main` imports: sets the broker, then declares the actors on it."""

import importlib

import dramatiq

from workers import actors, broker, logs, settings

_settings = settings.load()
dramatiq.set_broker(broker.connect(_settings, logs.set_up(_settings)))

for _module in actors.MODULES:  # an actor belongs to the broker that is set when it is imported
    importlib.import_module(_module)
