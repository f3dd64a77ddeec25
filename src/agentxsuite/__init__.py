"""The one governed door in front of your MCP servers."""

__version__ = "0.1.0"
