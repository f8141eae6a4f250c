"""One file per protocol endpoint."""
