"""Ends of sessions, told to everyone."""
