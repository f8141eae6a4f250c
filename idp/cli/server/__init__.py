"""Runs the provider: one supervisor, a server program of several processes, a delivery worker (OPS-3)."""
