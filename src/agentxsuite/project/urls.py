"""What Django answers: the REST API and its description. The data plane's never get here."""

from django.urls import include, path

from agentxsuite.project.openapi.views import Docs, Schema

urlpatterns = [
    path("", include("agentxsuite.console.urls")),
    path("", include("agentxsuite.control.oauth.urls")),
    path("api/v1/", include("agentxsuite.control.urls")),
    path("api/schema/", Schema.as_view(), name="schema"),
    path("api/docs/", Docs.as_view()),
]

handler400 = "agentxsuite.control.rest.answers.unreadable"
handler403 = "agentxsuite.control.rest.answers.unreadable"
handler404 = "agentxsuite.control.rest.answers.missing"
handler500 = "agentxsuite.control.rest.answers.broken"
