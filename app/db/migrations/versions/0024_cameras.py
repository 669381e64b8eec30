"""Files by the camera that took them.

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision: str | None = "0023"
branch_labels: str | None = None
depends_on: str | None = None

MODEL = "camera_model IS NOT NULL"
MAKE = "camera_model IS NULL AND camera_make IS NOT NULL"


def upgrade() -> None:
    """Make the indexes; hardly any file has a make without a model."""
    for name, column, where in (
        ("ix_capture_records_model", "camera_model", MODEL), ("ix_capture_records_make", "camera_make", MAKE),
    ):  # fmt: skip
        op.create_index(
            name, "capture_records", [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )
