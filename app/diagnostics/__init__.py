"""Is everything as it should be? Every check of the system, and the facts behind a delivery that does not work.

Looks only: no check touches a media file or changes a setting. Each check says what was found and, when something is
wrong, what to do.
"""

from app.diagnostics.checkup import check_folders, doctor, run_checks
from app.diagnostics.syncthing import diagnose, examine_syncthing, without_secrets
from app.syncthing.checks import Check

__all__ = ["Check", "check_folders", "diagnose", "doctor", "examine_syncthing", "run_checks", "without_secrets"]
