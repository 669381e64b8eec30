"""The icon that a phone puts on its home screen: iOS takes no SVG, so the drawing of icon.svg is made here as a PNG."""

from __future__ import annotations

import io
from functools import lru_cache

from flask import Blueprint, Response

blueprint = Blueprint("touch_icon", __name__)

#: What iOS wants, in pixels; it rounds the corners itself.
SIZE = 180
#: Drawn so many times as large and made smaller, so that edges are smooth.
FINER = 4
#: The drawing of icon-maskable.svg: its field of 32 is drawn at 0.72 of its size, with a margin for round corners.
FIELD, MARGIN, SCALE = 32, 4.48, 0.72
GROUND, LINES, ARROW = "#1f6f6b", "#ffffff", "#ffd27a"
STROKE = 2.4
STROKES = (
    (LINES, ((6, 10), (15, 10))),
    (LINES, ((6, 16), (15, 16))),
    (LINES, ((6, 22), (15, 22))),
    (ARROW, ((17, 16), (23, 16))),
    (ARROW, ((19.6, 12.4), (23.2, 16), (19.6, 19.6))),
)
DAY_SECONDS = 86_400


@blueprint.get("/apple-touch-icon.png")
def show() -> Response:
    """The icon; browsers keep it for a day."""
    answer = Response(drawn(), mimetype="image/png")
    answer.cache_control.public = True
    answer.cache_control.max_age = DAY_SECONDS
    return answer


@lru_cache(maxsize=1)
def drawn() -> bytes:
    """The PNG; drawn once, and Pillow is loaded only for that."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (SIZE * FINER, SIZE * FINER), GROUND)
    draw = ImageDraw.Draw(image)
    radius = _length(STROKE) / 2
    for colour, points in STROKES:
        places = [(_place(x), _place(y)) for x, y in points]
        draw.line(places, fill=colour, width=round(2 * radius), joint="curve")
        for x, y in places:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    made = io.BytesIO()
    image.resize((SIZE, SIZE), Image.Resampling.LANCZOS).save(made, "PNG", optimize=True)
    return made.getvalue()


def _length(units: float) -> float:
    return units * SCALE * SIZE * FINER / FIELD


def _place(units: float) -> float:
    return _length(units) + MARGIN * SIZE * FINER / FIELD
