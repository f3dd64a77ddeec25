"""Guess passwords from one address, as fast as the answers come, and count the answers.

``python -m benchmarks.guesses <url> <source address> <number> <seconds>`` prints how many answers
had each status, as JSON; it ends after that time, and not before the number.
"""

import asyncio
import json
import sys
from collections import Counter
from itertools import count
from time import perf_counter

from benchmarks.calls import Address
from benchmarks.http1 import connect

CONNECTIONS = 32


async def flood(url: str, source: str, number: int, seconds: float) -> Counter[int]:
    """The answers by their status."""
    login, until = Address(f"{url}/api/v1/auth/login/"), perf_counter() + seconds
    numbers, answers = count(), Counter[int]()

    async def guess() -> None:
        connection = await connect(url, source)
        while (turn := next(numbers)) < number or perf_counter() < until:
            body = {"email": f"person{turn}@acme.example", "password": "guess"}
            if connection.closed:
                connection = await connect(url, source)
            answers[(await connection.exchange(login.post(body))).status] += 1
        connection.close()

    await asyncio.gather(*(guess() for _ in range(CONNECTIONS)))
    return answers


if __name__ == "__main__":
    found = flood(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    print(json.dumps(asyncio.run(found)))
