"""The demonstration: which address is whose, what is registered, which process does what (OPS-1)."""
