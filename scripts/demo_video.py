"""A short film written by hand: JPEG frames in an MP4 or QuickTime file, one box at a time."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime

TICKS_PER_SECOND = 600
FRAME_TICKS = 200
WIDTH, HEIGHT = 640, 480
EPOCH_1904 = datetime(1904, 1, 1, tzinfo=UTC)
IDENTITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def box(kind: bytes, *parts: bytes) -> bytes:
    """Length, four letters, content."""
    content = b"".join(parts)
    return struct.pack(">I", 8 + len(content)) + kind + content


def full(kind: bytes, *parts: bytes, flags: int = 0) -> bytes:
    """A box with version 0 and flags."""
    return box(kind, struct.pack(">I", flags), *parts)


def sample_entry(brand: bytes) -> bytes:
    """How a frame is encoded: QuickTime names JPEG itself, MP4 by an object type."""
    visual = struct.pack(">6xH16x2H2IIH32sHh", 1, WIDTH, HEIGHT, 0x480000, 0x480000, 0, 1, b"", 24, -1)
    if brand == b"qt  ":
        return box(b"jpeg", visual)
    decoder = bytes([0x04, 13, 0x6C, 0x11]) + bytes(11)
    descriptor = bytes([0x03, 3 + len(decoder) + 3, 0, 0, 0]) + decoder + bytes([0x06, 1, 2])
    return box(b"mp4v", visual, full(b"esds", descriptor))


def sample_table(frames: Sequence[bytes], first_at: int, brand: bytes) -> bytes:
    """Where each frame lies and how long it is shown."""
    sizes = b"".join(struct.pack(">I", len(frame)) for frame in frames)
    return box(
        b"stbl",
        full(b"stsd", struct.pack(">I", 1), sample_entry(brand)),
        full(b"stts", struct.pack(">3I", 1, len(frames), FRAME_TICKS)),
        full(b"stsc", struct.pack(">4I", 1, 1, len(frames), 1)),
        full(b"stsz", struct.pack(">2I", 0, len(frames)), sizes),
        full(b"stco", struct.pack(">2I", 1, first_at)),
    )


def track(frames: Sequence[bytes], seconds: int, first_at: int, brand: bytes) -> bytes:
    """The one track."""
    length = len(frames) * FRAME_TICKS
    handler = full(b"hdlr", struct.pack(">I4s12x", 0, b"vide"), b"film\0")
    data = box(b"dinf", full(b"dref", struct.pack(">I", 1), full(b"url ", flags=1)))
    return box(
        b"trak",
        full(
            b"tkhd",
            struct.pack(">5I8x4H", seconds, seconds, 1, 0, length, 0, 0, 0, 0),
            IDENTITY,
            struct.pack(">2I", WIDTH << 16, HEIGHT << 16),
            flags=3,
        ),
        box(
            b"mdia",
            full(b"mdhd", struct.pack(">4I2H", seconds, seconds, TICKS_PER_SECOND, length, 0x55C4, 0)),
            handler,
            box(b"minf", full(b"vmhd", bytes(8), flags=1), data, sample_table(frames, first_at, brand)),
        ),
    )


def movie(frames: Sequence[bytes], seconds: int, first_at: int, brand: bytes) -> bytes:
    """The moov box."""
    header = struct.pack(">4IIH10x", seconds, seconds, TICKS_PER_SECOND, len(frames) * FRAME_TICKS, 0x10000, 0x100)
    return box(
        b"moov",
        full(b"mvhd", header, IDENTITY, bytes(24), struct.pack(">I", 2)),
        track(frames, seconds, first_at, brand),
    )


def video(frames: Sequence[bytes], created: str, *, brand: bytes) -> bytes:
    """A film of these JPEG frames, created at an instant in UTC; `brand` is `isom` for MP4, `qt  ` for QuickTime."""
    moment = datetime.fromisoformat(created).replace(tzinfo=UTC)
    seconds = int((moment - EPOCH_1904).total_seconds())
    start = box(b"ftyp", brand, struct.pack(">I", 512), brand)
    first_at = len(start) + len(movie(frames, seconds, 0, brand)) + 8
    return start + movie(frames, seconds, first_at, brand) + box(b"mdat", *frames)
