"""Upstream identity providers: here this server is the relying party."""
