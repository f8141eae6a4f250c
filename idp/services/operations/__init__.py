"""What the machine does by itself."""
