"""The parts of the FranceConnect simulator (FC-8); the program is `franceconnect_simulator`."""
