"""From a grant to tokens, and back."""
