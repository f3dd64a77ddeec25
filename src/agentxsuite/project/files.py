"""The files that pages are made of: scripts, styles, pictures. Served by this process.

They are found once, at the start; nothing else below their address leads to a file. ServeStatic is
what WhiteNoise, which speaks WSGI only, has become for ASGI.
"""

from importlib.resources import files
from typing import Any, Final

from django.conf import settings
from servestatic import ServeStaticASGI

PACKAGES: Final = ("drf_spectacular_sidecar", "agentxsuite.console")  # each with a folder `static`
HOUR: Final = 3600  # seconds; what changes with a new version is asked for again by then


def with_files(application: Any) -> Any:
    """Return the ASGI application, but for addresses of files."""
    serving = ServeStaticASGI(
        application, max_age=HOUR, allow_all_origins=False, add_headers_function=be_what_they_are
    )
    for package in PACKAGES:
        serving.add_files(str(files(package) / "static"), prefix=settings.STATIC_URL)
    return serving


def be_what_they_are(headers: Any, _path: str, _url: str) -> None:
    """No browser takes a file for something else."""
    headers["X-Content-Type-Options"] = "nosniff"
