"""`ETag` and `If-Match` (RFC 9110, sections 8.8.3 and 13.1.1): the tag is the policy's version."""

import re
from typing import Any, Final

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

ANY_VERSION: Final = "*"
NEVER: Final = 0  # versions begin with 1
_TAG: Final = re.compile(r'(?:W/)?"([1-9][0-9]{0,8})"')  # weak where a proxy has compressed it


def expected_version(request: Request) -> int | None:
    """Return the version that the caller has looked at; None where any will do."""
    header = request.headers.get("If-Match", ANY_VERSION).strip()
    if header == ANY_VERSION:
        return None
    tag = _TAG.fullmatch(header)
    return int(tag.group(1)) if tag else NEVER


class Tagged(GenericViewSet[Any]):
    """Answers of one row, a policy or a part of one, carry the policy's version."""

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        """Add the header."""
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        shown = answer.data if isinstance(answer.data, dict) else {}
        version = shown.get("policy_version", shown.get("version"))
        if isinstance(version, int):
            answer["ETag"] = f'"{version}"'
        return answer
