"""The description of the REST API: OpenAPI 3.1, made from the views and served by this server."""
