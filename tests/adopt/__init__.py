"""Projects of other tools, taken over."""
