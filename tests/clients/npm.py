"""Programs of `package.json`, run as their users run them."""

import asyncio
import os
from pathlib import Path

FOLDER = Path(__file__).parent
PROGRAMS = FOLDER / "node_modules" / ".bin"


class Missing(Exception):
    """The programs are not installed."""

    def __init__(self) -> None:
        super().__init__("the clients are not installed: run `make tools`")


async def run(program: str, *words: str, **variables: str) -> tuple[int, str]:
    """Run a program to its end; its exit status, and all that it said."""
    if not (PROGRAMS / program).exists():
        raise Missing
    process = await asyncio.create_subprocess_exec(
        PROGRAMS / program,
        *words,
        cwd=FOLDER,
        env={**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}", **variables},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return await process.wait(), output.decode()
