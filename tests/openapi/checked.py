"""Clients of the REST API that take no answer which the description does not have."""

from typing import Any

import httpx2
from rest_framework.test import APIClient

from tests.openapi.contract import Answer, contract

HERE = "/api/v1/"


class CheckedClient(APIClient):
    """Fails in the very request whose answer is not as described."""

    def request(self, **kwargs: Any) -> Any:
        """Ask, and hold the answer against the description."""
        response = super().request(**kwargs)
        asked = response.wsgi_request
        headers = {name.lower(): value for name, value in response.headers.items()}
        hold(Answer(asked.method, asked.path, response.status_code, headers, response.content))
        return response


async def checked(response: httpx2.Response) -> None:
    """Hold what a real server answered against the description: an event hook of `AsyncClient`."""
    if response.request.url.path.startswith(HERE):  # others may be streams that have no end
        await response.aread()
        hold(answer_of(response))


def answer_of(response: httpx2.Response) -> Answer:
    """What a real server answered, read to its end."""
    asked = response.request
    return Answer(
        asked.method,
        asked.url.raw_path.partition(b"?")[0].decode(),  # a segment may hold an encoded slash
        response.status_code,
        response.headers,
        response.content,
    )


def hold(answer: Answer) -> None:
    """Raise AssertionError for an answer of the REST API that is not as described."""
    if answer.path.startswith(HERE):
        contract().check(answer)
