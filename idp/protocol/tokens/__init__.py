"""What tokens contain."""
