"""A device ID as a QR code, for a phone's Syncthing to scan and for a terminal."""

from __future__ import annotations

import io

import segno

#: The quiet zone that readers need around the code, in modules.
BORDER = 4


def svg_of(device_id: str) -> bytes:
    """The code as an SVG document: dark on light, as readers want it, with neither style nor script."""
    out = io.BytesIO()
    code = segno.make_qr(device_id, error="m")
    code.save(out, kind="svg", border=BORDER, dark="#000", light="#fff", svgclass=None, lineclass=None, omitsize=True)
    return out.getvalue()


def text_of(device_id: str) -> str:
    """The code for a terminal, two rows in a line."""
    out = io.StringIO()
    segno.make_qr(device_id, error="m").terminal(out, border=BORDER, compact=True)
    return out.getvalue()
