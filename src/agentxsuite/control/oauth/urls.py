"""Where MCP clients log in; `/oauth/authorize/`, where people do, is a page of the console's."""

from django.urls import path

from agentxsuite.control.oauth import endpoints

urlpatterns = [
    path(".well-known/oauth-authorization-server", endpoints.metadata),
    path("oauth/token/", endpoints.token),
    path("oauth/revoke/", endpoints.revoke),
    path("oauth/register/", endpoints.register),
    path("oauth/register/<str:client_id>/", endpoints.registered),
]
