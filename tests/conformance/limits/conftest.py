"""Both limiters behind one face, with a clock that tests can move."""

import secrets
from pathlib import Path

import pytest
import redis as redis_py

from agentxsuite.engines.limits import MemoryLimiter, RedisLimiter

MICROSECONDS = 1_000_000


class InMemory:
    """A MemoryLimiter and the clock it looks at."""

    def __init__(self):
        self.now = 1_000.0
        self.limiter = MemoryLimiter(clock=lambda: self.now)

    def advance(self, seconds):
        self.now += seconds

    def close(self):
        """Nothing is open."""


class InRedis:
    """A RedisLimiter; time passes by making its buckets older."""

    def __init__(self, url):
        self.prefix = f"test:{secrets.token_hex(8)}:"
        self.limiter = RedisLimiter(url, timeout=10, prefix=self.prefix)
        self.database = redis_py.Redis.from_url(url)

    def advance(self, seconds):
        for key in self.database.keys(f"{self.prefix}*"):
            level, at = self.database.get(key).split()
            life = self.database.pttl(key) - int(seconds * 1000)
            older = f"{int(level)} {int(at) - int(seconds * MICROSECONDS)}"
            if life > 0:
                self.database.set(key, older, px=life)
            else:
                self.database.delete(key)

    def close(self):
        self.database.close()


@pytest.fixture(params=["memory", "redis"])
async def world(request, redis_server):
    world = InMemory() if request.param == "memory" else InRedis(redis_server.url)
    yield world
    await world.limiter.aclose()
    world.close()


@pytest.fixture
def limiter(world):
    return world.limiter


@pytest.fixture(scope="session")
def taker():
    """The program that takes from one bucket in a process of its own."""
    return Path(__file__).with_name("taker.py")
