"""MCP connections, and the tools that they provide."""
