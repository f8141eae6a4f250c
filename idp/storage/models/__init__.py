"""Every table, imported for Alembic."""
