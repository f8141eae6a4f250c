"""Routes of upstream providers."""
