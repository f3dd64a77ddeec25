"""The MCP clients of npm that the tests let through the gateway, and how they are started."""
