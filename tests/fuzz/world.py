"""Rows that really are there, so that a request gets further than the first "not found".

Those that a request may spoil are spares: each is made when first asked for, and anew once spent.
"""

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from threading import Thread
from typing import Any, Final
from urllib.parse import quote

import httpx2

from tests.fuzz.stage import PASSWORD, PEOPLE, Stage, email

NOTHING: Final = "00000000-0000-0000-0000-000000000000"
API: Final = "/api/v1"
TARGET: Final = "tool:upstream/echo"
RULE: Final = {"action": "tool.invoke", "target": TARGET, "effect": "allow"}
RULES: Final = (
    RULE,
    {"action": "tool.invoke", "target": "tool:upstream/slow", "effect": "allow"},
    {"action": "resource.read", "target": "resource:upstream/**", "effect": "allow"},
    {"action": "prompt.get", "target": "prompt:upstream/*", "effect": "allow"},
)
numbers = count(1)


def unique(word: str) -> str:
    """A name that nothing has yet."""
    return f"{word}-{next(numbers)}"


class World:
    """One organization with one of everything, and the people who ask."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.http = httpx2.Client(base_url=stage.url, timeout=60)
        self.tokens = {who: self.log_in(who) for who in PEOPLE}
        self.spares: dict[str, str] = {}
        self.org = self.post("/orgs/", name="Fuzz")["id"]
        self.viewer = self.join("viewer")
        self.base = self.build()

    def log_in(self, who: str) -> str:
        """A fresh login of somebody."""
        body = {"email": email(who), "password": PASSWORD}
        token: str = self.ask("POST", "/auth/login/", body, "")["token"]
        return token

    def come_back(self, who: str) -> None:
        """Log in again whoever has logged out, as often as anybody may."""
        with suppress(AssertionError):
            self.tokens[who] = self.log_in(who)

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        """What the server answers to a request that must succeed."""
        bearer = self.tokens["owner"] if token is None else token
        headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
        answer = self.http.request(method, API + path, json=body, headers=headers)
        assert answer.is_success, f"{method} {path} answered {answer.status_code}: {answer.text}"
        return answer.json() if answer.content else None

    def post(self, path: str, **body: Any) -> Any:
        """What the owner makes."""
        return self.ask("POST", path, body)

    def here(self, path: str, **body: Any) -> Any:
        """What the owner makes in the organization."""
        return self.post(f"/orgs/{self.org}{path}", **body)

    def told(self, path: str, body: Any) -> None:
        """Ask as the owner, whatever comes of it."""
        headers = {"authorization": f"Bearer {self.tokens['owner']}"}
        httpx2.post(
            f"{self.stage.url}{API}/orgs/{self.org}{path}", json=body, headers=headers, timeout=60
        )

    def join(self, who: str) -> str:
        """Invite somebody as a viewer and let them come; their id."""
        code = self.here("/invitations/", email=email(who), role="viewer")["code"]
        self.ask("POST", "/auth/me/orgs/", {"invitation": code}, self.tokens[who])
        me: str = self.ask("GET", "/auth/me/", None, self.tokens[who])["id"]
        return me

    def build(self) -> dict[str, str]:
        """One of everything; each is named as the segment of the address before its id."""
        environment = self.here("/environments/", name="base", type="dev")["id"]
        connection = self.connected(environment, "Upstream")
        account = self.here("/service-accounts/", name="base", environment=environment)["id"]
        agent = self.here(
            "/agents/", name="base", environment=environment, service_account=account
        )["id"]
        issued = self.here(
            f"/agents/{agent}/tokens/", scopes=[rule["action"] for rule in RULES[1:]]
        )
        self.tokens["agent"] = issued["token"]
        binding = {"scope_type": "org", "scope_id": self.org}
        policy = self.here("/policies/", name="base", rules=RULES, bindings=[binding])
        run = self.here("/runs/execute/", agent=agent, tool="upstream/echo", input={"text": "x"})
        return {
            "orgs": self.org,
            "environments": environment,
            "connections": connection,
            "tools": self.tool_of(connection),
            "service-accounts": account,
            "agents": agent,
            "tokens": issued["jti"],
            "policies": policy["id"],
            "rules": policy["rules"][0]["id"],
            "bindings": policy["bindings"][0]["id"],
            "versions": "1",
            "mcp": environment,
            "resources": quote("upstream+file:///notes/readme.md", safe=""),
            "prompts": quote("upstream/greet", safe=""),
            "runs": run["run_id"],
            "secrets": self.here("/connections/store-secret/", value="a secret")["secret_ref"],
            "invitations": self.here("/invitations/", email="x@fuzz.example")["id"],
            "members": self.viewer,
            "audit": self.first(f"/orgs/{self.org}/audit/", "owner"),
            "system": self.first("/system/audit/", "operator"),
        }

    def first(self, path: str, who: str) -> str:
        """The id of the first row of a list."""
        return str(self.ask("GET", path, None, self.tokens[who])["results"][0]["id"])

    def connect(self, environment: str, name: str) -> str:
        """A connection whose tools nobody has listed."""
        facts = {"environment": environment, "endpoint": self.stage.upstream}
        made: str = self.here("/connections/", name=name, **facts)["id"]
        return made

    def connected(self, environment: str, name: str) -> str:
        """A connection whose tools are known."""
        made = self.connect(environment, name)
        self.post(f"/connections/{made}/sync/")
        return made

    def tool_of(self, connection: str) -> str:
        """The tool `echo` of a connection."""
        path = f"/orgs/{self.org}/tools/?connection={connection}&page_size=100"
        tools = self.ask("GET", path)["results"]
        return next(str(tool["id"]) for tool in tools if tool["name"].endswith("/echo"))

    def row(self, kind: str) -> str:
        """The row that all else stands on; a kind that nobody has told of here has none."""
        return self.base.get(kind, NOTHING)

    def spare(self, kind: str) -> str:
        """One of a kind that may be spoilt; those of `base` are what all else stands on."""
        if kind not in self.spares:
            self.spares[kind] = SPARES[kind](self) if kind in SPARES else self.row(kind)
        return self.spares[kind]

    def spent(self, *kinds: str) -> None:
        """Forget spares: the next one is new."""
        for kind in kinds:
            self.spares.pop(kind, None)


def token(world: World) -> str:
    """The id of a token of the agent that all runs are made with."""
    return str(world.here(f"/agents/{world.base['agents']}/tokens/")["jti"])


def dead_token(world: World) -> str:
    """The id of a token that has been revoked: only such a one can be deleted."""
    made = token(world)
    world.here(f"/agents/{world.base['agents']}/tokens/{made}/revoke/")
    return made


def policy(world: World) -> Any:
    """A policy of one rule and one binding that lets nobody do more; the spare one from now on."""
    binding = {"scope_type": "env", "scope_id": world.spare("environments")}
    made = world.here("/policies/", name=unique("policy"), rules=[RULE], bindings=[binding])
    world.spares["policies"] = made["id"]
    return made


def run(world: World) -> str:
    """A run that has not ended: its caller waits in a thread."""
    call = {"agent": world.base["agents"], "tool": "upstream/slow", "input": {"seconds": 25}}
    Thread(target=world.told, args=("/runs/execute/", call), daemon=True).start()
    while True:
        running = world.ask("GET", f"/orgs/{world.org}/runs/?status=running")["results"]
        if running:
            return str(running[0]["id"])


def named(path: str) -> Callable[[World], str]:
    """What makes a row that needs only a name."""
    return lambda world: str(world.here(path, name=unique("spare"))["id"])


def account(world: World) -> str:
    """A service account that no agent has yet: each can have one only."""
    return named("/service-accounts/")(world)


def member(world: World) -> str:
    """A member who can be thrown out, and comes again."""
    path = f"/orgs/{world.org}/members/"
    for each in world.ask("GET", f"{path}?email={email('guest')}")["results"]:
        world.ask("DELETE", f"{path}{each['user']}/")
    return world.join("guest")


SPARES: Final[dict[str, Callable[[World], str]]] = {
    "orgs": lambda world: str(world.post("/orgs/", name=unique("spare"))["id"]),
    "environments": named("/environments/"),
    "connections": lambda world: world.connected(world.base["environments"], unique("spare")),
    "tools": lambda world: world.tool_of(SPARES["connections"](world)),
    "service-accounts": account,
    "agents": lambda world: str(
        world.here(
            "/agents/",
            name=unique("spare"),
            environment=world.base["environments"],
            service_account=account(world),
        )["id"]
    ),
    "tokens": token,
    "dead tokens": dead_token,
    "runs": run,
    "policies": lambda world: str(policy(world)["id"]),
    "rules": lambda world: str(policy(world)["rules"][0]["id"]),
    "bindings": lambda world: str(policy(world)["bindings"][0]["id"]),
    "secrets": lambda world: str(world.here("/connections/store-secret/", value="x")["secret_ref"]),
    "invitations": lambda world: str(
        world.here("/invitations/", email=f"{unique('x')}@fuzz.example")["id"]
    ),
    "members": member,
}
