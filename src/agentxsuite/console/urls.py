"""The pages, as one table."""

from django.urls import path

from agentxsuite.console import consent, login

urlpatterns = [
    path("login/", login.log_in),
    path("logout/", login.log_out),
    path("oauth/authorize/", consent.authorize),
]
