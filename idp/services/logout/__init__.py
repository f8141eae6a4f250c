"""Ends of sessions (LOG-7, OID-6)."""
