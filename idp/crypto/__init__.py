"""The only package that touches keys, hashes and signatures."""
