"""The state: one SQLite database, one module per table; SQL in, dataclasses out."""
