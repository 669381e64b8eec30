"""The REST API: one file per first URL segment."""
