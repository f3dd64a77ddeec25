"""The base of every view of the REST API: it answers within a scope, which the door fills."""

import logging
from contextlib import nullcontext
from typing import Any, ClassVar

from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.viewsets import ViewSet

from agentxsuite.control.tenancy.answers import plain
from agentxsuite.control.tenancy.problems import Conflict, Unavailable
from agentxsuite.control.tenancy.scope import seeing

log = logging.getLogger(__name__)


class Door(ViewSet):
    """Sees no organization's rows before `access` has let the caller in.

    Actions named in `outside` wait for somebody else meanwhile; no transaction stays open for
    them, and they open scopes of their own.
    """

    outside: ClassVar[frozenset[str]] = frozenset()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer one request in one scope."""
        action = self.action_map.get((request.method or "").lower())
        try:
            with nullcontext() if action in self.outside else seeing():
                return super().dispatch(request, *args, **kwargs)
        except IntegrityError:  # found when everything was to be committed
            return plain(Conflict("What this refers to has just changed; look again."))
        except (OperationalError, InterfaceError):
            log.exception("the database does not answer")
            return plain(Unavailable())
