"""What a person does with an account."""
