"""Everything that must be there before the story can begin."""

import json
import os
import secrets
from collections.abc import Mapping
from typing import Any

from demo.children import Children, free_ports, python, script
from demo.folder import Folder
from demo.repository import make_repository
from demo.templates import write_templates
from demo.transcript import Transcript
from demo.world import World

EMAIL = "ada@shop.example"
# Settings of the reader's own shell, which must not reach the embedded default.
FOREIGN = {
    "ALLOWED_HOSTS",
    "DATABASE_URL",
    "DEBUG",
    "DJANGO_SETTINGS_MODULE",
    "REDIS_URL",
    "REGISTRATION",
    "SECRET_KEY",
    "SECRET_KEYS",
    "TOKEN_KEYS",
}


def prepare(folder: Folder, children: Children, transcript: Transcript) -> World:
    """Start the servers and set up an organization; raises Unexpected when that fails."""
    port, payments_port = free_ports(2)
    url, payments = f"http://127.0.0.1:{port}", f"127.0.0.1:{payments_port}"
    password, key = secrets.token_urlsafe(12), secrets.token_urlsafe(24)
    environment = settings(folder, url, payments)

    transcript.progress("a payments system: an MCP server over Streamable HTTP")
    keyed = {**environment, "PAYMENTS_KEY": key}
    children.start("payments", python("demo.payments", str(payments_port)), keyed)
    transcript.progress("a git repository with a short history, and an MCP server for it (stdio)")
    repository = folder.repositories / "shop"
    make_repository(repository)
    transcript.progress("an MCP server that knows the time (stdio)")
    write_templates(folder)
    transcript.progress("agentxsuite migrate: an SQLite database")
    children.run("migrate", [script("agentxsuite"), "migrate"], environment)
    transcript.progress(f"agentxsuite serve: {url}")
    serve = [script("agentxsuite"), "serve", "--port", str(port)]
    children.start("server", serve, environment)
    transcript.progress("an organization with connections, policies, an agent and a person")
    told = {"email": EMAIL, "password": password, "payments": f"http://{payments}/mcp"}
    made = set_up(children, environment, {**told, "payments_key": key})
    children.await_port("payments", payments_port)
    children.await_port("server", port)
    return World(
        url=url,
        payments_url=f"http://{payments}",
        payments_key=key,
        repository=repository,
        email=EMAIL,
        password=password,
        **made,
    )


def settings(folder: Folder, url: str, payments: str) -> dict[str, str]:
    """The environment of every process: the embedded default, and what this demo opens."""
    inherited = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    return inherited | {
        "DATA_DIR": str(folder.data),
        "PUBLIC_URL": url,
        "EGRESS_ALLOW": payments,
        "STDIO_TEMPLATES": str(folder.templates),
    }


def set_up(
    children: Children, environment: Mapping[str, str], told: Mapping[str, str]
) -> dict[str, Any]:
    """Run the set-up process; the ids of what it made."""
    secret = {"DEMO_SETUP": json.dumps(dict(told))}  # not an argument: those are for all to see
    return dict(json.loads(children.run("setup", python("demo.setup"), {**environment, **secret})))
