"""The pages, as one table."""

from django.urls import path

from agentxsuite.console import accounts, consent, login

urlpatterns = [
    path("login/", login.log_in),
    path("logout/", login.log_out),
    path("oauth/authorize/", consent.authorize),
    path("account/connect/", accounts.connect),
    path("account/callback/<uuid:connection>/", accounts.callback),
]
