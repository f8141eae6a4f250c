"""How a person comes in."""
