"""What Django answers: the REST API. The data plane's addresses never get here."""

from django.urls import include, path

urlpatterns = [path("api/v1/", include("agentxsuite.control.urls"))]

handler400 = "agentxsuite.control.tenancy.answers.unreadable"
handler403 = "agentxsuite.control.tenancy.answers.unreadable"
handler404 = "agentxsuite.control.tenancy.answers.missing"
handler500 = "agentxsuite.control.tenancy.answers.broken"
