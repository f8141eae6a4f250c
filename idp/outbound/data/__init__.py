"""The list of common passwords and how it was made; see README.md beside."""
