"""No line of a log tells a secret: not ours, not a library's, not a traceback."""

import logging
import subprocess
import sys

from agentxsuite.masking import MASK, learn
from agentxsuite.project.logs import MaskedRecord

SECRET = "a canary of logging"
LIBRARY = logging.getLogger("somebody.elses")


class Telling:
    def __str__(self):
        return SECRET


def failing(value):
    raise ValueError(f"not liked: {value}")


def lines():
    LIBRARY.warning("said " + SECRET)
    LIBRARY.warning("said %s", SECRET)
    LIBRARY.warning("said %(what)s", {"what": SECRET})
    LIBRARY.warning("said %s", Telling())
    LIBRARY.warning(Telling())
    LIBRARY.warning("with its stack: %s", "a canary of logging", stack_info=True)
    try:
        failing(SECRET)
    except ValueError:
        LIBRARY.exception("failed with %d", 7)


def test_a_line_is_masked_whoever_writes_it(caplog):
    """Otherwise: whoever reads the logs can be every server's client."""
    learn(SECRET)
    lines()
    assert SECRET not in caplog.text
    assert caplog.text.count(MASK) >= 7
    assert f"ValueError: not liked: {MASK}" in caplog.text
    assert "Traceback" in caplog.text
    assert "failed with 7" in caplog.messages
    assert not [each for each in caplog.records if SECRET in str(vars(each).values())]


def test_without_masking_every_line_would_tell(caplog, monkeypatch):
    """Otherwise: the other tests prove nothing."""
    learn(SECRET)
    monkeypatch.setattr(logging, "_logRecordFactory", logging.LogRecord)
    lines()
    assert caplog.text.count(SECRET) >= 7


def test_everything_written_before_and_after_is_masked():
    """Otherwise: a handler that somebody adds later, or uvicorn's, tells what ours do not."""
    assert logging.getLogRecordFactory() is MaskedRecord


RAISING = f"""
import asyncio, logging, warnings
import agentxsuite.project.asgi
from agentxsuite.masking import learn
from agentxsuite.project.serving import configured
learn({SECRET!r})
configured("127.0.0.1", 0)
logging.getLogger("uvicorn.error").error("uvicorn %s", {SECRET!r})
logging.getLogger("nobody.knows").error("nobody %s", {SECRET!r})
warnings.warn({SECRET!r}, UserWarning)
async def main():
    told = {{"message": "asyncio", "exception": ValueError({SECRET!r})}}
    asyncio.get_running_loop().call_exception_handler(told)
asyncio.run(main())
"""


def test_a_server_s_process_masks_uvicorn_asyncio_and_warnings(bare):
    """Otherwise: it is only the tests whose logs are clean."""
    done = subprocess.run(
        [sys.executable, "-c", RAISING], capture_output=True, text=True, check=True
    )
    assert SECRET not in done.stderr + done.stdout
    for told in (
        f"uvicorn {MASK}",
        f"nobody {MASK}",
        f"UserWarning: {MASK}",
        f"ValueError: {MASK}",
    ):
        assert told in done.stderr, done.stderr
