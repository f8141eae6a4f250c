"""Programs for demonstration and tests; they know this provider by its wire only."""
