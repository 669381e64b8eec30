"""Which TCP ports are free on this machine.

    free_ports.py --require HOST PORT...    exit 1 and a sentence for each port that is taken
    free_ports.py --choose PORT...          print each port, or a free one in its place
"""

from __future__ import annotations

import argparse
import socket
import sys


def is_free(port: int, host: str = "0.0.0.0") -> bool:
    """Could a server listen there now?"""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((host, port))
            server.listen()
        except OSError:
            return False
    return True


def any_free() -> int:
    """A port that the system has free."""
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))
        return int(server.getsockname()[1])


def main() -> int:
    """Check or choose."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--require", metavar="HOST")
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("ports", nargs="+", type=int)
    options = parser.parse_args()
    if options.choose:
        print(*(port if is_free(port) else any_free() for port in options.ports))
        return 0
    taken = [port for port in options.ports if not is_free(port, options.require or "0.0.0.0")]
    for port in taken:
        print(f"Port {port} is in use by another process.", file=sys.stderr)
    return 1 if taken else 0


if __name__ == "__main__":
    sys.exit(main())
