"""What the API's lists are made of."""

from typing import Any

Row = dict[str, Any]  # one thing, as the API's description has it
