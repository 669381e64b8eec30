"""Backups of what the program knows, and the ways back when its database is lost or damaged."""
