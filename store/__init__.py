"""What survives a restart: every Redis key."""
