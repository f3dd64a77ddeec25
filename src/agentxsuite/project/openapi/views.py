"""`/api/schema/` and `/api/docs/`: the description for programs, and for people."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentxsuite.project.openapi.document import rendered

# The page has no script of its own, loads nothing from elsewhere and is shown in no frame.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Refusing(APIView):
    """Refusals are JSON, whatever kind of answer the page itself is."""

    def handle_exception(self, error: Exception) -> Response:
        """Answer a refusal."""
        self.request.accepted_renderer = JSONRenderer()
        self.request.accepted_media_type = JSONRenderer.media_type
        return super().handle_exception(error)


class Schema(Refusing, SpectacularAPIView):
    """The description of this API."""

    authentication_classes = ()

    def _get_schema_response(self, request: Request) -> HttpResponse:
        renderer: Any = request.accepted_renderer
        return HttpResponse(rendered(renderer.format), content_type=renderer.media_type)


class Docs(Refusing, SpectacularSwaggerSplitView):
    """The same to read and to try out, without anything from the internet."""

    authentication_classes = ()

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Close the page off."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers["Content-Security-Policy"] = POLICY
        return answer
