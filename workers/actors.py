"""The modules whose actors a worker carries out."""

MODULES = (
    "workers.behaviour",
    "workers.hooks",
    "workers.imports",
    "workers.leads",
    "workers.notes",
    "workers.programs",
    "workers.pull",
    "workers.push",
    "workers.sweep",
    "workers.sync_runs",
)
