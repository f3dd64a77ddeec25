"""What the figures were measured on."""

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path


def facts() -> dict[str, str]:
    """Machine, interpreter and day, for people to compare."""
    return {
        "cores": str(os.cpu_count()),
        "processor": processor(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def processor() -> str:
    """The model's name; proc(5), ``cpuinfo``."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except FileNotFoundError:  # not Linux
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found.group(1) if found else platform.machine()
