"""A real nginx of Debian before a server of ours: what a tunnel or a load balancer is elsewhere."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START = 30.0  # seconds, on a busy machine
LOOK = 0.02  # seconds between two looks at a port that does not listen yet
CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  {http}
}}
"""
RELAY = """
server {{
  listen 127.0.0.1:{port};
  location / {{
    proxy_pass {address}; proxy_http_version 1.1; proxy_buffering off; proxy_read_timeout 300s;
    proxy_set_header Host $http_host; proxy_set_header Connection "";
    {headers}
  }}
}}
"""


@contextmanager
def running(http: str, port: int) -> Iterator[str]:
    """Run nginx with these lines in its `http` block until left; yields its address.

    Raises RuntimeError with nginx's own words when it does not start.
    """
    binary = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if binary is None:
        raise RuntimeError("nginx is missing: `make tools` installs it on Debian")
    with tempfile.TemporaryDirectory(prefix="agentxsuite-nginx-") as name:
        folder = Path(name)
        file = folder / "nginx.conf"
        file.write_text(CONFIGURATION.format(folder=folder, http=http))
        command = [binary, "-c", str(file), "-p", str(folder), "-e", str(folder / "error.log")]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        try:
            _wait(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.communicate()


def relay(address: str, **headers: str) -> "tuple[str, int]":
    """Return the lines of a relay to an address that sets these headers, and its port."""
    port = free_port()
    lines = " ".join(
        f'proxy_set_header {name.replace("_", "-")} "{value}";' for name, value in headers.items()
    )
    return RELAY.format(port=port, address=address, headers=lines), port


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(LOOK)
        else:
            return
    process.terminate()
    raise RuntimeError(f"nginx does not listen: {process.communicate()[1].decode()}")
