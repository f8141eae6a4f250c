"""The authorization request, from parameters to answer."""
