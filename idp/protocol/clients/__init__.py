"""What a client may register and how it proves itself."""
