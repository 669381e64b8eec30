#!/usr/bin/env python3
"""Let Syncthing's GUI and its listener be reached from other machines, by editing its config.xml.

Idempotent: a second run changes nothing. Everything else in the file stays as it is. The new file replaces the old
one in one step, with the old one kept as config.xml.before. Restart Syncthing afterwards.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

WELL_KNOWN = (
    "~/.local/state/syncthing/config.xml",
    "~/.config/syncthing/config.xml",
    "/var/syncthing/config/config.xml",
    "/config/config.xml",
)
DEFAULT_LISTENER = " (TCP and QUIC on port 22000 of every address, and Syncthing's relays)"
LOOPBACK = ("127.", "localhost", "[::1]", "::1")


def main(arguments: Sequence[str] | None = None) -> int:
    """Edit, report, and return the exit code: 0 done, 1 the file cannot be used, 2 wrong arguments."""
    options = _options(arguments)
    path = Path(options.config).expanduser() if options.config else _find()
    if path is None:
        print("No config.xml of Syncthing was found; name it with --config.", file=sys.stderr)
        return 1
    try:
        root = _read(path)
        ports = options.listen_port or [22000]
        changed = configure(root, options.gui_host, options.gui_port, options.listen_host, ports)
        if changed:
            _replace(path, root)
    except (OSError, ElementTree.ParseError, ValueError) as error:
        print(f"{path} cannot be used: {error}", file=sys.stderr)
        return 1
    _report(path, root, changed)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Let Syncthing be reached from other machines.")
    parser.add_argument("--config", help="Syncthing's config.xml; found by itself when not given")
    parser.add_argument("--gui-host", default="0.0.0.0", type=_host, help="address of GUI and REST API (0.0.0.0)")
    parser.add_argument("--gui-port", default=8384, type=_port, help="port of GUI and REST API (8384)")
    parser.add_argument("--listen-host", default="0.0.0.0", type=_host, help="address of the sync listener (0.0.0.0)")
    parser.add_argument(
        "--listen-port", action="append", type=_port, help="port of the sync listener (22000); may be given again"
    )
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port")
    return port


def _host(text: str) -> str:
    if not text or any(c.isspace() or c in "/@#?" for c in text):
        raise argparse.ArgumentTypeError(f"{text!r} is no host or address")
    return f"[{text}]" if ":" in text and not text.startswith("[") else text


def _find() -> Path | None:
    for name in WELL_KNOWN:
        path = Path(name).expanduser()
        if path.is_file():
            return path
    return None


def _read(path: Path) -> ElementTree.Element:
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    root = ElementTree.fromstring(path.read_bytes(), parser)
    if root.tag != "configuration":
        raise ValueError("it is no configuration of Syncthing")
    return root


def configure(root: ElementTree.Element, gui_host: str, gui_port: int, host: str, ports: Sequence[int]) -> bool:
    """Set the GUI address and make sure of a listener on each port; returns whether anything changed."""
    gui, options = _child(root, "gui"), _child(root, "options")
    changed = _set_text(_child(gui, "address"), f"{gui_host}:{gui_port}")
    if gui.get("enabled") == "false":
        gui.set("enabled", "true")
        changed = True
    return any([changed, *(_add_listener(options, host, port) for port in ports)])


def _add_listener(options: ElementTree.Element, host: str, port: int) -> bool:
    """Make sure of one listener; the others stay in any case.

    `default` among them stands for TCP and QUIC on every address with port 22000, so it is left alone when that is
    what is wanted.
    """
    listeners = [(e.text or "").strip() for e in options.findall("listenAddress")]
    wanted = f"tcp://{host}:{port}"
    if wanted in listeners or ("default" in listeners and (host, port) == ("0.0.0.0", 22000)):
        return False
    added = ElementTree.Element("listenAddress")
    added.text, added.tail = wanted, "\n        "
    options.insert(0, added)
    return True


def _child(parent: ElementTree.Element, name: str) -> ElementTree.Element:
    found = parent.find(name)
    return ElementTree.SubElement(parent, name) if found is None else found


def _set_text(element: ElementTree.Element, text: str) -> bool:
    changed = (element.text or "").strip() != text
    if changed:
        element.text = text
    return changed


def _replace(path: Path, root: ElementTree.Element) -> None:
    """Write beside the file, flush, keep the old one under another name, and take its place in one step."""
    target = path.resolve()
    seen = target.stat()
    descriptor, temporary = tempfile.mkstemp(prefix=".config.xml.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            ElementTree.ElementTree(root).write(file, encoding="utf-8")
            file.write(b"\n")
            file.flush()
            os.fchmod(file.fileno(), seen.st_mode & 0o777)
            if os.geteuid() == 0:
                os.fchown(file.fileno(), seen.st_uid, seen.st_gid)
            os.fsync(file.fileno())
        _keep_old(target)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _keep_old(target: Path) -> None:
    before = target.with_name(target.name + ".before")
    before.unlink(missing_ok=True)
    os.link(target, before)


def _report(path: Path, root: ElementTree.Element, changed: bool) -> None:
    gui, options = _child(root, "gui"), _child(root, "options")
    address = os.environ.get("STGUIADDRESS") or (gui.findtext("address") or "").strip()
    print(f"{path}: {'changed; restart Syncthing' if changed else 'nothing to change'}.")
    print(f"GUI and REST API: {'https' if gui.get('tls') == 'true' else 'http'}://{address}")
    if os.environ.get("STGUIADDRESS"):
        print("STGUIADDRESS in the environment overrides the address in the file.")
    for listener in options.findall("listenAddress"):
        text = (listener.text or "").strip()
        print(f"Listener: {text}{DEFAULT_LISTENER if text == 'default' else ''}")
    if not address.startswith(LOOPBACK) and not (gui.findtext("password") or "").strip():
        print(
            "Warning: the GUI can be reached from other machines and has no password; set one under "
            "Actions > Settings > GUI.",
            file=sys.stderr,
        )


if __name__ == "__main__":
    sys.exit(main())
