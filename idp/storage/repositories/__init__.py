"""Queries, by aggregate."""
