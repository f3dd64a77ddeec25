"""The database from asynchronous code: in a few threads of their own, never on the loop."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

EXECUTOR = ThreadPoolExecutor(max_workers=2, thread_name_prefix="catalog")


async def in_thread(
    work: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Run `work` off the loop; whatever it opened towards the database is closed afterwards."""
    task = partial(_tidily, partial(work, *args, **kwargs))
    return await sync_to_async(task, thread_sensitive=False, executor=EXECUTOR)()


def _tidily(work: Callable[[], Result]) -> Result:
    try:
        return work()
    finally:
        connections.close_all()
