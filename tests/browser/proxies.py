"""nginx, Caddy, Apache and HAProxy, each set up by its example in docs/operations.md and nothing that an example leaves
out but where to listen and where to write."""

from __future__ import annotations

import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.conftest import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 20
APACHE_MODULES = ("mpm_event", "authz_core", "alias", "proxy", "proxy_http")

#: Proxy -> what stands around its example; {port} is where it listens, {folder} is its own.
AROUND = {
    "nginx": """
user root; pid {folder}/pid; error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxied; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {example}
    }}
}}
""",
    "Caddy": """
{{
    admin off
    auto_https off
}}
{example}
""",
    "Apache": """
ServerName localhost
Listen 127.0.0.1:{port}
{modules}
User nobody
Group nogroup
PidFile {folder}/pid
ErrorLog /dev/stderr
{example}
""",
    "HAProxy": "{example}\n",
}
COMMANDS = {
    "nginx": ["nginx", "-e", "stderr", "-g", "daemon off;", "-c"],
    "Caddy": ["caddy", "run", "--adapter", "caddyfile", "--config"],
    "Apache": ["apache2", "-D", "FOREGROUND", "-f"],
    "HAProxy": ["haproxy", "-db", "-f"],
}


def example(name: str) -> str:
    """The lines that the manual gives for a proxy."""
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    return re.findall(rf"^{name}[^\n]*:\n\n```[a-z]*\n(.*?)```", manual, re.DOTALL | re.MULTILINE)[0]


def set_up(name: str, folder: Path, upstream: int, port: int) -> Path:
    """Write the proxy's configuration: the manual's example with our server's address and our place to listen."""
    lines = example(name).replace("192.168.1.20:8080", f"127.0.0.1:{upstream}")
    lines = lines.replace("nas.example.org", f"http://127.0.0.1:{port}").replace("bind :80", f"bind 127.0.0.1:{port}")
    loaded = "\n".join(f"LoadModule {each}_module /usr/lib/apache2/modules/mod_{each}.so" for each in APACHE_MODULES)
    path = folder / "proxy.conf"
    path.write_text(AROUND[name].format(example=lines, port=port, folder=folder, modules=loaded))
    return path


@contextmanager
def real_proxy(name: str, folder: Path, upstream: int) -> Iterator[str]:
    """Run it before 127.0.0.1:upstream; yields the address of its root."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    path = set_up(name, folder, upstream, port)
    # Caddy keeps files below these
    own = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "proxy.log").open("wb") as log:
        process = subprocess.Popen(
            [*COMMANDS[name], str(path)], cwd=folder, env=os.environ | own, stdout=log, stderr=log
        )
    try:
        wait(process, address, folder / "proxy.log")
        yield address
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Until it answers anything, be it 404."""
    limit = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            told = log.read_text(errors="replace")
            assert process.poll() is None and time.monotonic() < limit, f"the proxy did not start:\n{told}"
            time.sleep(0.1)
