"""Notes that are private, shared with a team, or public."""
