"""The whole REST API as one table; `runs/execute/` is answered by the gateway before Django."""

from typing import Any

from django.urls import path

from agentxsuite.control.agents.api import Tokens
from agentxsuite.control.audit.api import Events
from agentxsuite.control.catalog.api import Connections
from agentxsuite.control.runs.api import Runs
from agentxsuite.control.tenancy.api import Environments, Login, Logout, Me, Organizations

MANY: Any = {"get": "list", "post": "create"}
ONE: Any = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}
AGENT, AUDIT, RUNS = (
    "orgs/<uuid:org>/agents/<uuid:agent>",
    "orgs/<uuid:org>/audit",
    "orgs/<uuid:org>/runs",
)

urlpatterns = [
    path("auth/login/", Login.as_view({"post": "create"})),
    path("auth/logout/", Logout.as_view({"post": "create"})),
    path("auth/me/", Me.as_view({"get": "retrieve"})),
    path("auth/me/orgs/", Me.as_view({"get": "organizations"})),
    path("orgs/", Organizations.as_view({"get": "list"})),
    path("orgs/<uuid:org>/environments/", Environments.as_view(MANY)),
    path("orgs/<uuid:org>/environments/<uuid:id>/", Environments.as_view(ONE)),
    path("connections/<uuid:connection>/sync/", Connections.as_view({"post": "sync"})),
    path(f"{AGENT}/tokens/", Tokens.as_view({"get": "list", "post": "create"})),
    path(f"{AGENT}/tokens/<slug:jti>/revoke/", Tokens.as_view({"post": "revoke"})),
    path(f"{RUNS}/", Runs.as_view({"get": "list"})),
    path(f"{RUNS}/<uuid:run>/", Runs.as_view({"get": "retrieve"})),
    path(f"{RUNS}/<uuid:run>/cancel/", Runs.as_view({"post": "cancel"})),
    path(f"{RUNS}/<uuid:run>/steps/", Runs.as_view({"get": "steps"})),
    path(f"{AUDIT}/", Events.as_view({"get": "list"})),
    path(f"{AUDIT}/<uuid:event>/", Events.as_view({"get": "retrieve"})),
]
