"""FranceConnect as an upstream provider (FC-1)."""
