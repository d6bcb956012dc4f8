"""The modules whose actors a worker carries out."""

MODULES = (
    "workers.applying",
    "workers.behaviour",
    "workers.comparing",
    "workers.following",
    "workers.hooks",
    "workers.imports",
    "workers.leads",
    "workers.notes",
    "workers.on_request",
    "workers.planning",
    "workers.programs",
    "workers.pull",
    "workers.push",
    "workers.sweep",
    "workers.sync_runs",
    "workers.undoing",
    "workers.unreached",
)
