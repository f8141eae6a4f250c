"""Which claims go to whom."""
