"""Use cases. Each opens one unit of work and returns a plain result."""
