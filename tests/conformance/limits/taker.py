"""Take from one bucket as often as told, many at a time; print how often it was allowed."""

import asyncio
import sys

from agentxsuite.engines.limits import Rate, RedisLimiter

AT_ONCE = 16


async def main(url: str, prefix: str, burst: int, takes: int) -> None:
    """Say "ready", wait for a line, take."""
    limiter, rate = RedisLimiter(url, timeout=30, prefix=prefix), Rate(1, burst)
    await limiter.take(f"warm-up of {id(limiter)}", rate)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    allowed = 0
    for _ in range(takes // AT_ONCE):
        taken = await asyncio.gather(*(limiter.take("shared", rate) for _ in range(AT_ONCE)))
        allowed += sum(each.allowed for each in taken)
    if not limiter.connected:
        raise SystemExit("Redis did not decide")
    sys.stdout.write(f"{allowed}\n")
    await limiter.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
