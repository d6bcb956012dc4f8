"""When: saved schedules become ticks, and the janitor keeps queues clean."""
