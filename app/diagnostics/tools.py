"""Checks of what reads capture dates: each with its version, or with what is lost without it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from app.services import Services
from app.syncthing.checks import OK, WARNING, Check

ANSWER_SECONDS = 10.0


def check_tools(_services: Services) -> Iterator[Check]:
    """Exiftool, MediaInfo and the HEIC reader."""
    yield _exiftool()
    yield _media_info()
    yield _heif()


def _exiftool() -> Check:
    path = shutil.which("exiftool")
    if path is None:
        cause = "exiftool is not installed: the capture dates of rare kinds (Canon CRW, RED and the like) and of "
        cause += "damaged raw files are not read; such files go by their name or time."
        return Check("exiftool", WARNING, cause, "Install it (libimage-exiftool-perl on Debian); the image has it.")
    try:
        answer = subprocess.run([path, "-ver"], capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("exiftool", WARNING, f"{path} does not work: {error}.", "Install exiftool again.")
    if answer.returncode != 0:
        return Check("exiftool", WARNING, f"{path} does not work.", "Install exiftool again.")
    return Check("exiftool", OK, f"exiftool {answer.stdout.strip()} is installed.")


def _media_info() -> Check:
    cause = "MediaInfo cannot be loaded: the capture dates of WMV, MPEG and damaged films are not read; "
    cause += "they go by their name or time."
    lost = Check("mediainfo", WARNING, cause, "Install the program again (scripts/setup.sh), or libmediainfo.")
    if find_spec("pymediainfo") is None:
        return lost
    from pymediainfo import MediaInfo

    there = Check("mediainfo", OK, f"MediaInfo (pymediainfo {_version('pymediainfo')}) is there.")
    return there if MediaInfo.can_parse() else lost


def _heif() -> Check:
    if find_spec("pi_heif") is None:
        cause = "The HEIC reader is not installed: the capture dates of unusual HEIC photos are not read."
        return Check("heif", WARNING, cause, "Install the program again (scripts/setup.sh).")
    return Check("heif", OK, f"HEIC photos can be read (pi-heif {_version('pi-heif')}).")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "of an unknown version"
