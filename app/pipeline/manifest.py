"""The manifest of a batch, as the stages know it; its format is written in app/files/manifest.py."""

from app.files.manifest import (
    MANIFEST_NAME,
    OWN_NAMES,
    SUMS_NAME,
    VERSION,
    Manifest,
    ManifestFile,
    manifest_bytes,
    parse,
    sums_bytes,
)

__all__ = [
    "MANIFEST_NAME",
    "OWN_NAMES",
    "SUMS_NAME",
    "VERSION",
    "Manifest",
    "ManifestFile",
    "manifest_bytes",
    "parse",
    "sums_bytes",
]
