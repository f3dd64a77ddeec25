"""The whole REST API as one table; `runs/execute/` is answered by the gateway before Django."""

from typing import Any

from django.urls import path

from agentxsuite.control.agents.api import Agents, ServiceAccounts, Tokens
from agentxsuite.control.audit.api import Events
from agentxsuite.control.catalog.accounts_api import Accounts
from agentxsuite.control.catalog.api import Connections, Upstream
from agentxsuite.control.catalog.tools_api import Tools
from agentxsuite.control.oauth.api import Clients, Grants, MyGrants
from agentxsuite.control.policies.api import Policies, Versions
from agentxsuite.control.policies.evaluate_api import Evaluate
from agentxsuite.control.policies.parts_api import Bindings, Rules
from agentxsuite.control.runs.api import Runs
from agentxsuite.control.secretstore.api import Secrets
from agentxsuite.control.system import Log, System
from agentxsuite.control.tenancy.api import Environments, Invitations, Members, Organizations
from agentxsuite.control.tenancy.auth_api import (
    Login,
    Logout,
    Me,
    MyOrganizations,
    Password,
    Register,
)

MANY: Any = {"get": "list", "post": "create"}
ONE: Any = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}
MINE: Any = {"get": "retrieve", "put": "update", "patch": "partial_update"}
MEMBER: Any = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
AGENT, AUDIT, RUNS = (
    "orgs/<uuid:org>/agents/<uuid:agent>",
    "orgs/<uuid:org>/audit",
    "orgs/<uuid:org>/runs",
)
POLICY = "orgs/<uuid:org>/policies/<uuid:id>"
VERSIONS = "orgs/<uuid:org>/policies/<uuid:policy>/versions"
CONNECTION = "orgs/<uuid:org>/connections/<uuid:connection>"
SECRETS = "orgs/<uuid:org>/secrets"

urlpatterns = [
    path("auth/register/", Register.as_view({"post": "create"})),
    path("auth/login/", Login.as_view({"post": "create"})),
    path("auth/logout/", Logout.as_view({"post": "create"})),
    path("auth/me/", Me.as_view(MINE)),
    path("auth/me/grants/", MyGrants.as_view({"get": "list"})),
    path("auth/me/grants/<uuid:id>/", MyGrants.as_view({"get": "retrieve", "delete": "destroy"})),
    path("auth/me/orgs/", MyOrganizations.as_view(MANY)),
    path("auth/me/password/", Password.as_view({"post": "create"})),
    path("orgs/", Organizations.as_view(MANY)),
    path("orgs/<uuid:org>/", Organizations.as_view(ONE)),
    path("orgs/<uuid:org>/members/", Members.as_view({"get": "list"})),
    path("orgs/<uuid:org>/members/<uuid:user>/", Members.as_view(MEMBER)),
    path("orgs/<uuid:org>/invitations/", Invitations.as_view(MANY)),
    path(
        "orgs/<uuid:org>/invitations/<uuid:id>/",
        Invitations.as_view({"get": "retrieve", "delete": "destroy"}),
    ),
    path("orgs/<uuid:org>/environments/", Environments.as_view(MANY)),
    path("orgs/<uuid:org>/environments/<uuid:id>/", Environments.as_view(ONE)),
    path("connections/<uuid:connection>/sync/", Upstream.as_view({"post": "sync"})),
    path("connections/<uuid:connection>/test/", Upstream.as_view({"post": "test"})),
    path("orgs/<uuid:org>/connections/", Connections.as_view(MANY)),
    path("orgs/<uuid:org>/connections/<uuid:id>/", Connections.as_view(ONE)),
    path(f"{CONNECTION}/authorize/", Accounts.as_view({"post": "authorize"})),
    path(f"{CONNECTION}/account/", Accounts.as_view({"get": "retrieve", "delete": "destroy"})),
    path("orgs/<uuid:org>/connections/store-secret/", Secrets.as_view({"post": "store"})),
    path(f"{SECRETS}/", Secrets.as_view({"get": "list"})),
    path(f"{SECRETS}/<slug:ref>/", Secrets.as_view({"get": "retrieve", "delete": "destroy"})),
    path(f"{SECRETS}/<slug:ref>/versions/", Secrets.as_view({"get": "versions", "post": "rotate"})),
    path("orgs/<uuid:org>/tools/", Tools.as_view(MANY)),
    path("orgs/<uuid:org>/tools/approve/", Tools.as_view({"post": "approve"})),
    path("orgs/<uuid:org>/tools/<uuid:id>/", Tools.as_view(ONE)),
    path("orgs/<uuid:org>/tools/<uuid:id>/access/", Tools.as_view({"get": "access"})),
    path("orgs/<uuid:org>/tools/<uuid:id>/diff/", Tools.as_view({"get": "diff"})),
    path("orgs/<uuid:org>/agents/", Agents.as_view(MANY)),
    path("orgs/<uuid:org>/agents/create-axcore/", Agents.as_view({"post": "axcore"})),
    path("orgs/<uuid:org>/agents/<uuid:id>/", Agents.as_view(ONE)),
    path("orgs/<uuid:org>/agents/<uuid:id>/access/", Agents.as_view({"get": "access"})),
    path("orgs/<uuid:org>/agents/<uuid:id>/ping/", Agents.as_view({"post": "ping"})),
    path(f"{AGENT}/clients/", Clients.as_view(MANY)),
    path(f"{AGENT}/clients/<uuid:id>/", Clients.as_view({"delete": "destroy"})),
    path("orgs/<uuid:org>/grants/", Grants.as_view({"get": "list"})),
    path(
        "orgs/<uuid:org>/grants/<uuid:id>/",
        Grants.as_view({"get": "retrieve", "delete": "destroy"}),
    ),
    path("orgs/<uuid:org>/service-accounts/", ServiceAccounts.as_view(MANY)),
    path("orgs/<uuid:org>/service-accounts/<uuid:id>/", ServiceAccounts.as_view(ONE)),
    path(f"{AGENT}/tokens/", Tokens.as_view({"get": "list", "post": "create"})),
    path(f"{AGENT}/tokens/<slug:jti>/", Tokens.as_view({"delete": "destroy"})),
    path(f"{AGENT}/tokens/<slug:jti>/revoke/", Tokens.as_view({"post": "revoke"})),
    path("orgs/<uuid:org>/policies/", Policies.as_view(MANY)),
    path(f"{POLICY}/", Policies.as_view(ONE)),
    path(f"{POLICY}/rules/", Policies.as_view({"post": "add_rule"})),
    path(f"{VERSIONS}/", Versions.as_view({"get": "list"})),
    path(f"{VERSIONS}/<int:number>/", Versions.as_view({"get": "retrieve"})),
    path(f"{VERSIONS}/<int:number>/diff/", Versions.as_view({"get": "diff"})),
    path(f"{VERSIONS}/<int:number>/restore/", Versions.as_view({"post": "restore"})),
    path("orgs/<uuid:org>/policies/evaluate/", Evaluate.as_view({"post": "within"})),
    path("policies/evaluate/", Evaluate.as_view({"post": "anywhere"})),
    path("policies/rules/", Rules.as_view(MANY)),
    path("policies/rules/<uuid:id>/", Rules.as_view(ONE)),
    path("policies/bindings/", Bindings.as_view(MANY)),
    path("policies/bindings/<uuid:id>/", Bindings.as_view(ONE)),
    path(f"{RUNS}/", Runs.as_view({"get": "list"})),
    path(f"{RUNS}/<uuid:run>/", Runs.as_view({"get": "retrieve"})),
    path(f"{RUNS}/<uuid:run>/cancel/", Runs.as_view({"post": "cancel"})),
    path(f"{RUNS}/<uuid:run>/steps/", Runs.as_view({"get": "steps"})),
    path(f"{AUDIT}/", Events.as_view({"get": "list"})),
    path(f"{AUDIT}/<uuid:event>/", Events.as_view({"get": "retrieve"})),
    path("audit/", Events.as_view({"get": "everywhere"})),
    path("system/", System.as_view({"get": "retrieve"})),
    path("system/audit/", Log.as_view({"get": "list"})),
    path("system/audit/<uuid:event>/", Log.as_view({"get": "retrieve"})),
]
