"""The description of the REST API: renewing it, and holding every answer against it."""
