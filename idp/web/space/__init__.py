"""The Mon Paris space."""
