"""When was it taken? `CaptureReaders` ask the files, `choose` decides; originals are never written to.

reader.py (with formats.py, all that it names, and exif_tool.py) runs in a limited process of its own and only gathers
what files say; choose.py and file_name.py are pure. This package's front imports no parser.
"""

from app.files.capture_time.choose import CaptureTime, Rules, choose
from app.files.capture_time.judge import Candidate, Claim
from app.files.capture_time.reading import CaptureReaders, Reading, read_capture_time

__all__ = ["Candidate", "CaptureReaders", "CaptureTime", "Claim", "Reading", "Rules", "choose", "read_capture_time"]
