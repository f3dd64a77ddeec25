"""The demo from its beginning to its end: ``python -m demo``; DEMO_EXIT=1 stops after the story."""

import asyncio
import os
import signal
import sys
import traceback
from contextlib import suppress
from typing import NoReturn

from demo.backstage import prepare
from demo.children import Children
from demo.expectation import Unexpected
from demo.farewell import invite
from demo.folder import Folder, fresh_folder
from demo.stage import raised
from demo.steps import STEPS
from demo.transcript import Transcript
from demo.world import World


def main() -> int:
    """Prepare, play, and serve on or stop; the exit status."""
    end_on_signals()
    transcript = Transcript()
    transcript.title("AgentxSuite: one governed door in front of three MCP servers")
    stay = os.environ.get("DEMO_EXIT", "") in ("", "0")
    with fresh_folder() as folder:
        try:
            show(folder, transcript, stay=stay)
        except KeyboardInterrupt:
            transcript.alarm("\ndemo: interrupted")
            return 130
        # Whatever a step dies of, the reader is told which one it was and where to look.
        except Exception as error:  # noqa: BLE001  -- as above
            (folder.logs / "demo.log").write_text(traceback.format_exc())
            transcript.alarm(f"\ndemo: failed at '{transcript.scene}': {innermost(error)}")
            transcript.alarm(f"demo: the logs are in {folder.shown}/logs")
            return 1
    transcript.line("\ndemo: stopped" if stay else "demo: ok")
    return 0


def show(folder: Folder, transcript: Transcript, *, stay: bool) -> None:
    """Everything between an empty folder and the last process that ends."""
    transcript.progress(f"everything lives in {folder.shown}")
    with Children(folder.logs) as children:
        world = prepare(folder, children, transcript)
        token = asyncio.run(play(world, transcript))
        transcript.title(f"All {len(STEPS)} steps went as told, in {transcript.seconds:.1f} s.")
        if stay:
            with suppress(KeyboardInterrupt):
                invite(world, token, folder, transcript)
                children.watch()


async def play(world: World, transcript: Transcript) -> str:
    """Play every step; a fresh token of the agent. Raises Unexpected."""
    async with raised(world, transcript) as stage:
        await stage.sync()
        for number, (title, step) in enumerate(STEPS, start=1):
            transcript.title(f"{number}. {title}")
            await step(stage)
        return (await stage.person.issue("printed by the demo")).token


def innermost(error: BaseException) -> str:
    """What happened, without the groups that tasks wrap around it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) if isinstance(error, Unexpected) else repr(error)


def end_on_signals() -> None:
    """Let SIGTERM and SIGHUP unwind the program as Ctrl-C does, so that children are stopped."""

    def end(number: int, _frame: object) -> NoReturn:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)


if __name__ == "__main__":
    sys.exit(main())
