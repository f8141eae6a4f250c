"""What is true whatever the transport: people, accounts, consents, life cycles, rules."""
