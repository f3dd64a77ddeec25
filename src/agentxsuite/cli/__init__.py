"""The command line: an ordinary client of the public REST API.

It knows nothing of the server but what the API's description says, and imports no Django, so that
it starts fast. The commands that run a server are added to it by `project.main`.
"""
