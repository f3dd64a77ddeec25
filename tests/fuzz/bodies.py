"""Bodies that say something true: what a field means is not in any schema."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.fuzz.stage import PASSWORD, email
from tests.fuzz.world import RULE, TARGET, World, account, unique

REFERENCES: Final = {  # fields that name a row, and its kind
    "environment": "environments",
    "connection": "connections",
    "service_account": "",  # a new one each time
    "agent": "agents",
    "tool": "tools",
    "policy": "policies",
}
GOOD: Final[dict[str, Callable[[World], Any]]] = {
    "name": lambda _: unique("name"),
    "slug": lambda _: unique("slug"),
    "subject": lambda _: unique("subject"),
    "endpoint": lambda world: world.stage.upstream,
    "auth_method": lambda _: "none",
    "mode": lambda _: "caller",
    "inbound_auth_method": lambda _: "bearer",
    "value": lambda _: "a value",
    "upstream_name": lambda _: "add",
    "tools": lambda world: [world.base["tools"]],
    "targets": lambda _: [TARGET],
    "rules": lambda _: [RULE],
    "bindings": lambda world: [{"scope_type": "org", "scope_id": world.org}],
    "action": lambda _: "tool.invoke",
    "target": lambda _: TARGET,
    "effect": lambda _: "deny",
    "scope_type": lambda _: "org",
    "scope_id": lambda world: world.org,
    "input": lambda _: {"text": "x"},
    "scopes": lambda _: ["tool.invoke"],
    "ttl_seconds": lambda _: 3600,
    "role": lambda _: "viewer",
    "enabled": lambda _: True,
    "is_active": lambda _: True,
    "password": lambda _: PASSWORD,
    "new_password": lambda _: PASSWORD,
}
EMAILS: Final[dict[str, Callable[[], str]]] = {
    "auth_login": lambda: email("guest"),
    "auth_register": lambda: f"{unique('new')}@fuzz.example",
    "orgs_invitations_create": lambda: f"{unique('new')}@fuzz.example",
}
FIXED: Final = {"orgs_agents_update": {"slug"}}  # told when it is made, and never again


def good(world: World, operation: str, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Bodies of an operation that should be taken: as short as can be, and as long."""
    facts = {
        name: value(world, operation, name)
        for name in schema.get("properties", {})
        if name in GOOD or name in REFERENCES or (name == "email" and operation in EMAILS)
    }
    if operation == "auth_register":
        facts["invitation"] = world.here("/invitations/", email=facts["email"])["code"]
    facts = {name: fact for name, fact in facts.items() if name not in FIXED.get(operation, ())}
    yield {name: facts[name] for name in schema.get("required", ()) if name in facts}
    yield facts


def value(world: World, operation: str, name: str) -> Any:
    """A true value of a field."""
    if name == "email":
        return EMAILS[operation]()
    if operation == "orgs_tools_create" and name == "connection":
        return world.connect(world.base["environments"], unique("unlisted"))
    if name in REFERENCES:
        return reference(world, name)
    return GOOD[name](world)


def reference(world: World, name: str) -> str:
    """The id of a row that a field names; a policy is a spare, for it will be changed."""
    if name == "service_account":
        return account(world)
    kind = REFERENCES[name]
    return world.spare(kind) if kind == "policies" else world.base[kind]


def anchored(world: World, body: Any) -> Any:
    """The same body, but where it names a row, that row is there."""
    if not isinstance(body, dict):
        return body
    named = {name: reference(world, name) for name in body if name in REFERENCES and body[name]}
    return body | named
