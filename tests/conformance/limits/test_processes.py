"""One limit over many workers is one limit."""

import contextlib
import secrets
import subprocess
import sys

PROCESSES, TAKES, BURST = 8, 160, 700


def test_eight_processes_share_one_bucket_exactly(redis_server, taker):
    """Each worker grants the whole limit, or calls slip through between two."""
    prefix = f"test:{secrets.token_hex(8)}:"
    command = [sys.executable, taker, redis_server.url, prefix, str(BURST), str(TAKES)]
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(started(command)) for _ in range(PROCESSES)]
        assert [worker.stdout.readline() for worker in workers] == ["ready\n"] * PROCESSES
        for worker in workers:  # all at once; the first token drips in only after a minute
            worker.stdin.write("go\n")
            worker.stdin.flush()
        allowed = [int(worker.stdout.read()) for worker in workers]
    assert sum(allowed) == BURST
    assert PROCESSES * TAKES > BURST


def started(command):
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
