"""Redis lives, dies, pauses, lies; limits hold and nobody waits."""

import asyncio

import pytest

from agentxsuite.engines.limits import Rate, RedisLimiter
from agentxsuite.engines.limits.address import Address
from agentxsuite.engines.limits.pipeline import Pipeline

SLOW = Rate(per_minute=1, burst=3)
PATIENCE = 10  # seconds, for what takes milliseconds


async def reconnected(limiter):
    await asyncio.wait_for(limiter._link.up.wait(), PATIENCE)


async def lost(limiter):
    await asyncio.wait_for(limiter._link._pipeline.lost.wait(), PATIENCE)


async def test_the_bucket_outlives_the_worker(own_redis, limiter):
    """A restarted worker gives every caller a fresh burst."""
    await limiter.take("a", SLOW)
    second = RedisLimiter(own_redis.socket_url)
    assert (await second.take("a", SLOW)).remaining == 1
    assert second.connected
    await second.aclose()
    assert not second.connected


async def test_a_full_bucket_takes_no_room(own_redis, limiter):
    """Redis fills up with the buckets of callers who left."""
    await limiter.take("a", Rate(per_minute=60_000, burst=1))
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while own_redis.call("EXISTS", "limit:a") == b":1\r\n":
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0)
    assert own_redis.call("DBSIZE") == b":0\r\n"


async def test_a_flushed_script_is_loaded_again(own_redis, limiter):
    """After a failover of Redis every take fails."""
    await limiter.take("a", SLOW)
    own_redis.call("SCRIPT", "FLUSH")
    assert (await limiter.take("a", SLOW)).remaining == 1


async def test_while_redis_is_dead_each_process_limits_and_later_redis_again(own_redis, limiter):
    """Without Redis nothing is limited, or nothing works; or it stays so after Redis is back."""
    await limiter.take("a", SLOW)
    own_redis.kill()
    alone = [await limiter.take("a", SLOW) for _ in range(5)]
    assert [each.allowed for each in alone] == [True, True, True, False, False]
    assert not limiter.connected
    own_redis.start()
    await reconnected(limiter)
    assert (await limiter.take("a", SLOW)).remaining == 2


async def test_a_redis_that_is_not_there_yet_is_found_later(own_redis, limiter):
    """Workers that start before Redis never share their limits."""
    own_redis.stop()
    assert (await limiter.take("a", SLOW)).allowed
    assert not limiter.connected
    own_redis.start()
    await reconnected(limiter)
    assert (await limiter.take("a", SLOW)).remaining == 2


async def test_a_paused_redis_delays_nobody_beyond_the_timeout(own_redis, limiter):
    """A hanging Redis hangs every call."""
    await limiter.take("a", SLOW)
    own_redis.pause()
    loop = asyncio.get_running_loop()
    began = loop.time()
    taken = await asyncio.gather(*(limiter.take("b", SLOW) for _ in range(20)))
    assert loop.time() - began < PATIENCE / 2
    assert sum(each.allowed for each in taken) == 3
    own_redis.resume()
    await reconnected(limiter)
    assert (await limiter.take("c", SLOW)).remaining == 2


async def test_a_replica_is_left_for_the_primary(own_redis, limiter):
    """After a failover the limiter clings to a server that cannot write."""
    await limiter.take("a", SLOW)
    own_redis.call("REPLICAOF", "127.0.0.1", "1")
    assert (await limiter.take("a", SLOW)).allowed
    await lost(limiter)
    own_redis.call("REPLICAOF", "NO", "ONE")
    await reconnected(limiter)
    assert limiter.connected


async def test_an_error_of_redis_is_not_the_callers(own_redis, limiter):
    """Something odd in one key turns calls into server errors."""
    own_redis.call("LPUSH", "limit:a", "1")
    assert [(await limiter.take("a", SLOW)).allowed for _ in range(4)] == [True, True, True, False]
    assert limiter.connected


async def test_a_cancelled_caller_shifts_no_reply(limiter):
    """After a client hangs up, callers get each other's answers."""
    await limiter.take("warm", SLOW)
    rates = [Rate(per_minute=1, burst=1_000 + number) for number in range(200)]
    tasks = [asyncio.create_task(limiter.take(f"{rate.burst}", rate)) for rate in rates]
    await asyncio.sleep(0)  # all have asked, none is answered
    for task in tasks[::3]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    for number, answer in enumerate(answers):
        if number % 3:
            assert answer.remaining == 999 + number
        else:
            assert isinstance(answer, asyncio.CancelledError)


async def test_waiting_commands_share_one_write(liar):
    """A busy worker pays a system call for each take."""
    url = await liar(b"+PONG\r\n" * 50)
    pipeline = await Address.parse(url).connect(lambda: Pipeline(PATIENCE))
    replies = await asyncio.gather(*(pipeline.ask("PING") for _ in range(50)))
    assert replies == [b"PONG"] * 50
    assert [chunk.count(b"PING") for chunk in liar.heard] == [50]
    pipeline.close()


async def test_looking_for_redis_never_ends(liar):
    """After a few failed attempts the limits stay per worker for ever."""
    limiter = RedisLimiter(await liar())
    await limiter.take("a", SLOW)
    await asyncio.wait_for(liar.third_visit.wait(), PATIENCE)
    assert not limiter.connected
    await limiter.aclose()


async def test_whoever_waits_on_a_lost_connection_is_told(own_redis):
    """A call hangs for ever because its connection died."""
    pipeline = await Address.parse(own_redis.url).connect(lambda: Pipeline(PATIENCE))
    own_redis.pause()
    waiting = asyncio.create_task(pipeline.ask("PING"))
    await asyncio.sleep(0)
    pipeline.close()
    with pytest.raises(ConnectionError):
        await waiting
    with pytest.raises(ConnectionError):
        await pipeline.ask("PING")


async def test_a_command_on_a_closing_connection_is_told_and_not_written(own_redis):
    """Every command of that moment fills the log with a stack trace."""
    pipeline = await Address.parse(own_redis.url).connect(lambda: Pipeline(PATIENCE))
    odd = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: odd.append(what))
    asked = asyncio.create_task(pipeline.ask("PING"))
    await asyncio.sleep(0)
    pipeline.close()
    with pytest.raises(ConnectionError):
        await asked
    assert odd == []


async def test_a_command_that_has_time_is_left_alone(own_redis):
    """The watch of an earlier command strikes a later one."""
    pipeline = await Address.parse(own_redis.url).connect(lambda: Pipeline(PATIENCE))
    own_redis.pause()
    waiting = asyncio.create_task(pipeline.ask("PING"))
    await asyncio.sleep(0)  # it has asked
    pipeline._watch.cancel()
    pipeline._look()
    own_redis.resume()
    assert await waiting == b"PONG"
    assert pipeline._watch is not None
    pipeline.close()
    await asyncio.wait_for(pipeline.lost.wait(), PATIENCE)


async def test_a_watch_with_nothing_to_watch_ends(own_redis):
    """An idle connection is dropped, or wakes the worker for ever."""
    pipeline = await Address.parse(own_redis.url).connect(lambda: Pipeline(0.01))
    await pipeline.ask("PING")
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while pipeline._watch is not None:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0)
    assert await pipeline.ask("PING") == b"PONG"
    pipeline.close()
    await asyncio.wait_for(pipeline.lost.wait(), PATIENCE)


@pytest.mark.parametrize(
    "answers",
    [
        [b"garbage\r\n"],
        [b"-ERR go away\r\n"],
        [b"+OK\r\n+OK\r\n+OK\r\n"],
        [b"HTTP/1.1 400 Bad Request\r\n\r\n"],
    ],
)
async def test_what_is_no_redis_is_not_believed(liar, answers):
    """A wrong port in the settings breaks every call."""
    limiter = RedisLimiter(await liar(*answers))
    taken = [await limiter.take("a", SLOW) for _ in range(4)]
    assert [each.allowed for each in taken] == [True, True, True, False]
    await limiter.aclose()


async def test_a_password_and_a_database_are_used(own_redis):
    """Limits cannot be kept in a protected or a shared Redis."""
    own_redis.call("CONFIG", "SET", "requirepass", "s3cret")
    right = RedisLimiter(f"redis://:s3cret@127.0.0.1:{own_redis.port}/5")
    wrong = RedisLimiter(f"redis://:wrong@127.0.0.1:{own_redis.port}/5")
    assert (await right.take("a", SLOW)).remaining == 2
    assert (await wrong.take("a", SLOW)).allowed
    assert (right.connected, wrong.connected) == (True, False)
    database = own_redis.call("AUTH", "s3cret")
    assert database == b"+OK\r\n"
    for limiter in (right, wrong):
        await limiter.aclose()


async def test_tls_works_and_strangers_are_refused(tls_port, certificate):
    """A Redis across a network is talked to in the clear, or with whoever answers."""
    known = RedisLimiter(f"rediss://127.0.0.1:{tls_port}?ssl_ca_certs={certificate[0]}")
    stranger = RedisLimiter(f"rediss://127.0.0.1:{tls_port}")
    assert (await known.take("a", SLOW)).remaining == 2
    assert (await stranger.take("a", SLOW)).remaining == 2
    assert (known.connected, stranger.connected) == (True, False)
    for limiter in (known, stranger):
        await limiter.aclose()


async def test_what_was_never_used_closes():
    """A server that served no call cannot be stopped."""
    limiter = RedisLimiter("redis://127.0.0.1:1")
    limiter._link.drop()
    await limiter.aclose()
    assert not limiter.connected
