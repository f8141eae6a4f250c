"""The only package that knows Authlib as a server; no Flask."""
