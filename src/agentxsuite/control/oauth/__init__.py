"""Logging in from MCP clients (OAuth 2.1): clients, what people granted them, and their tokens."""
