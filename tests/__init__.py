"""The tests of the provider: `tests/README.md` says what each family proves."""
