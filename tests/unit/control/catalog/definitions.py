"""What servers say about their tools."""


def definition(name="read", description="Reads a file.", **more):
    """What a server says about a tool."""
    schema = {"type": "object", "properties": {"path": {"type": "string"}}}
    return {"name": name, "description": description, "inputSchema": schema, **more}
