"""What each version stored, for newer ones to read."""
