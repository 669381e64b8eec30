"""One module per revision; they never import app/db/tables.py, which only knows the newest shape."""
