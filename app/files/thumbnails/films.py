"""A frame of a film, by ffmpeg where it is installed: one, in little time, with no way to other files or hosts."""

from __future__ import annotations

import shutil
import subprocess

from app.files.thumbnails.pictures import Undrawable
from app.files.thumbnails.shelf import SIDE, is_film

__all__ = ["first_frame", "is_film"]

TIMEOUT_SECONDS = 10.0
#: A film often begins black.
SKIPPED_SECONDS = "1"
#: Containers of cameras; none that names other files, such as a playlist.
CONTAINERS = "mov,matroska,avi,mpegts,mpeg,mpegvideo,asf,flv,ogg,mxf,dv,h264,hevc"


def first_frame(descriptor: int) -> bytes:
    """A frame near the beginning, as JPEG. Raises Undrawable."""
    tool = shutil.which("ffmpeg")
    if tool is None:
        raise Undrawable("ffmpeg is not installed, which draws films")
    drawn = _ask(tool, descriptor, ["-ss", SKIPPED_SECONDS]) or _ask(tool, descriptor, [])
    if not drawn:
        raise Undrawable("ffmpeg found no picture in it")
    return drawn


def _ask(tool: str, descriptor: int, where: list[str]) -> bytes:
    scale = f"scale='min(iw,{2 * SIDE})':'min(ih,{2 * SIDE})':force_original_aspect_ratio=decrease"
    command = [
        tool, "-nostdin", "-v", "quiet", "-threads", "1", "-protocol_whitelist", "file,pipe", "-format_whitelist",
        CONTAINERS, *where, "-i", f"/proc/self/fd/{descriptor}", "-an", "-sn", "-dn", "-frames:v", "1", "-vf", scale,
        "-threads", "1", "-filter_threads", "1", "-c:v", "mjpeg", "-f", "mjpeg", "pipe:1",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
            timeout=TIMEOUT_SECONDS, pass_fds=(descriptor,), cwd="/",
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Undrawable(f"ffmpeg took longer than {TIMEOUT_SECONDS:.0f} s") from error
    return done.stdout
