"""Prints what the shell scripts need from the configuration in force, as `setting_name=value` lines for eval."""

from __future__ import annotations

import os
import shlex
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from app.config.store import ConfigStore, default_path
from app.errors import ConfigError


def main() -> int:
    """Print the lines, or say what is wrong with the configuration."""
    try:
        config = ConfigStore(default_path()).load().config
    except ConfigError as error:
        for problem in error.problems:
            print(problem.placed(default_path()), file=sys.stderr)
        return 1
    system = config.system
    settings = {
        "port_api": system.port_api,
        "port_dbui": system.port_dbui,
        "bind_host": system.bind_host,
        "dbui_enabled": str(system.dbui_enabled).lower(),
        "db_path": system.db_path,
        "log_dir": system.log_dir,
        "source_dir": config.paths.source_dir,
        "sorted_dir": config.paths.sorted_dir,
        "syncthing_url": config.syncthing.api_url,
        "syncthing_gui_url": config.syncthing.gui_url,
    }
    for name, value in settings.items():
        print(f"setting_{name}={shlex.quote(str(value))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
