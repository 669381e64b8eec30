"""Settings of the backups that the appliance makes of its own state."""

from __future__ import annotations

from pydantic import Field

from app.config.fields import Days, Section, Text


class Backup(Section):
    """Backups of settings, database and manifests; photos are not in them."""

    schedule: Text = Field(
        default="", description="When to make a backup by itself, as a cron expression; empty = never."
    )
    dir: Text = Field(default="", description="Folder for backups. Empty: backups/ beside the database.")
    keep_count: int = Field(
        default=14, ge=0, le=1_000, description="So many backups are kept, the newest; 0 = any number."
    )
    keep_days: Days = Field(
        default=0, description="Days until a backup is removed; the newest always stays. 0 = any age."
    )
