"""One key, one change: a POST that comes again under its `Idempotency-Key` is not done again.

A key belongs to its caller and address, which has the organization in it. It is reserved in the
transaction of the change; for an action that waits for somebody else, in one before it. What was
done is told again for a day; a refusal did nothing, and leaves nothing.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from agentxsuite.control.problems import Invalid
from agentxsuite.control.rest.kept_answers import ToldAgain, forget, reserve, settle
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import KeptAnswer, User
from agentxsuite.control.tenancy.scope import seeing

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
ADDRESS: Final = 500  # characters; nothing that there is has a longer one


class Repeatable(GenericViewSet[Any]):
    """A view whose POSTs may be sent twice.

    `unkeyed` are those that make and do nothing, so that a key has nothing to say. `shows_once`
    are those whose answer shows a credential, and where in it the id of what was made is: such an
    answer is never kept. `outside` are those that wait for somebody else, with no transaction open.
    """

    outside: ClassVar[frozenset[str]] = frozenset()
    unkeyed: ClassVar[frozenset[str]] = frozenset()
    shows_once: ClassVar[Mapping[str, str]] = {}
    reserved: KeptAnswer | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer one request; the key that it reserved stands for the answer then, or is free."""
        try:
            response = super().dispatch(request, *args, **kwargs)
        except BaseException:  # whatever it is, the key must not stay taken
            if self.reserved and self.action in self.outside:  # else it is rolled back
                forget(self.reserved)
            raise
        if self.reserved:
            self._settle(self.reserved, response)
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let the caller in, and reserve the key; raises ToldAgain or a Problem."""
        super().initial(request, *args, **kwargs)
        if is_keyed(self, request) and (row := self._wanted(request)):
            self.reserved = reserve(row)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer what ended a request: a refusal, or what it was answered before."""
        if isinstance(exc, ToldAgain):
            return Response(exc.body, status=exc.status, headers={REPLAYED: "true"})
        return super().handle_exception(exc)

    def holder(self, request: Request) -> UUID | None:
        """Whose key it is; None for a request that cannot be answered anyway."""
        return access.caller(request).id

    def _wanted(self, request: Request) -> KeptAnswer | None:
        """The row of the request's key; None for a request that will be refused."""
        key = request.headers[HEADER]
        if not KEY.fullmatch(key):
            told = "Idempotency-Key must be 1 to 255 visible ASCII characters."
            raise Invalid(told, code="invalid_idempotency_key")
        holder, had = self.holder(request), rights(request)
        organization = self.kwargs.get("org")
        if organization is not None:
            had = {place: role for place, role in had.items() if place == str(organization)}
        if holder is None or (organization is not None and not had):
            return None
        address = f"{request.method} {request.path}"[:ADDRESS]
        asked = digest(request)
        return KeptAnswer(holder=holder, address=address, key=key, digest=asked, rights=had)

    def _settle(self, row: KeptAnswer, response: Any) -> None:
        if response.status_code >= 400:  # noqa: PLR2004 - HTTP's refusals
            return forget(row)
        secret = self.action in self.shows_once
        made = id_in(response.data, self.shows_once.get(self.action, "id"))
        return settle(row, response.status_code, response.data, made, secret=secret)


def is_keyed(view: Any, request: HttpRequest | Request) -> bool:
    """Whether a request has a key that its action heeds."""
    return (
        request.method == "POST"
        and HEADER in request.headers
        and view.action_map.get("post", "") not in view.unkeyed
    )


def digest(request: Request) -> str:
    """Return what tells one body from another, and nothing about secrets that are in them."""
    details = request.headers.get("If-Match"), request.META.get("QUERY_STRING")
    whole = json.dumps([request.data, *details], sort_keys=True)
    return salted_hmac("idempotency", whole, algorithm="sha256").hexdigest()


def rights(request: Request) -> dict[str, str]:
    """Return the caller's role in each of their organizations."""
    if not isinstance(request.user, User):
        return {}
    with seeing():
        mine = access.memberships(access.caller(request))
        return {str(each.organization_id): each.role for each in mine}


def id_in(data: Any, path: str) -> str:
    """Return the id that an answer has at a path of fields; empty where it has none."""
    for step in path.split("."):
        data = data.get(step) if isinstance(data, Mapping) else None
    return str(data or "")
