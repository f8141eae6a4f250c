"""What leaves this machine, each with a `Null` twin for tests and development."""
