"""Pages between /authorize and the redirect back."""
