"""The main job, told step by step against real MCP servers: ``make demo``."""
