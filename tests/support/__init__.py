"""What tests stand on: a clock, databases, servers, a browser; nothing here is asserted."""
