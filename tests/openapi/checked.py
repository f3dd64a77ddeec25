"""A client of the REST API that takes no answer which the description does not have."""

from typing import Any

from rest_framework.test import APIClient

from tests.openapi.contract import Answer, contract

HERE = "/api/v1/"


class CheckedClient(APIClient):
    """Fails in the very request whose answer is not as described."""

    def request(self, **kwargs: Any) -> Any:
        """Ask, and hold the answer against the description."""
        response = super().request(**kwargs)
        asked = response.wsgi_request
        if asked.path.startswith(HERE):
            headers = {name.lower(): value for name, value in response.headers.items()}
            answer = Answer(
                asked.method, asked.path, response.status_code, headers, response.content
            )
            contract().check(answer)
        return response
