"""What happened: event types, their codec, and publish."""
