"""The gateway's own doors, tried with every credential that does not fit."""

from itertools import product

import pytest

from tests.sweeps.doors import rpc
from tests.sweeps.rows import filled
from tests.sweeps.stage import NO_UUID

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

MISSING = {"org": NO_UUID, "prod": NO_UUID, "slug": "nobody-pay"}
WHOLE, ONE = "/mcp/$org/$prod/", "/mcp/$org/$prod/$slug/"
METADATA = "/.well-known/oauth-protected-resource/mcp/$org/$prod/"


@pytest.fixture
def ask(live):
    """Ask at a door as Acme's agent, unless told another token, with some of the path foreign."""

    def ask(path, token=None, method="tools/list", params=None, **swapped):
        at = filled(path, live.acme.refs | swapped)
        sent = rpc(method, **(params or {}))
        return live.send("POST", at, sent, live.acme.agent_token() if token is None else token)

    return ask


def refused(live, answer, before_it):
    """Nobody got in, is told how to, and left nothing but evidence."""
    assert answer.status == 401, answer
    assert "resource_metadata=" in answer.headers["www-authenticate"], answer
    live.unchanged(before_it)


def test_an_agent_gets_its_own_and_what_it_does_is_on_record(live, ask):
    """Otherwise: the doors below refuse because nobody is ever let in."""
    for path, own in ((WHOLE, f"{live.acme.refs['slug']}__echo"), (ONE, "echo")):
        uses(live, ask, path, own)
    agent = f"subject=agent:{live.acme.refs['agent']}&action=tool.invoke"
    audit = filled(f"/api/v1/orgs/$org/audit/?{agent}", live.acme.refs)
    events = live.send("GET", audit, b"", live.acme.logins["auditor"]).shown
    assert [event["event_type"] for event in events] == ["run_finished", "run_started"] * 2
    assert {event["target"] for event in events} == {f"tool:{live.acme.refs['tool_name']}"}


def uses(live, ask, path, own):
    """List what there is and call a tool of one's own."""
    listed = ask(path)
    assert listed.status == 200, listed
    names = [tool["name"] for tool in listed.json["result"]["tools"]]
    assert own in names
    live.shows_nothing_of(live.globex, listed)
    params = {"name": own, "arguments": {"text": "hello"}}
    called = ask(path, method="tools/call", params=params).json["result"]
    assert called["content"][0]["text"] == "hello", called


def test_no_other_credential_opens_an_agents_door(live, ask):
    """Otherwise: a token for one place opens another one."""
    tokens = {
        "nobody": "",
        "another environment's agent": live.acme.agent_token("elsewhere"),
        "another company's agent": live.globex.agent_token(),
        "no token at all": "x" * 64,
        **{f"a login of the {role}": token for role, token in live.acme.logins.items()},
    }
    methods = ("tools/list", "tools/call", "resources/list", "nothing/known")
    for path, method, (whose, token) in product((WHOLE, ONE), methods, tokens.items()):
        with live.trial() as before:
            answer = ask(path, token, method)
            assert answer.status == 401, (whose, method, answer)
            refused(live, answer, before)
            live.shows_nothing_of(live.globex, answer)


def test_an_agent_at_another_door_learns_nothing(live, ask):
    """Otherwise: an agent finds out which organizations and environments there are."""
    for path, names in product((WHOLE, ONE), (("org",), ("prod",), ("org", "prod"))):
        theirs = {name: live.globex.refs[name] for name in names}
        nobodys = {name: MISSING[name] for name in names}
        with live.trial() as before:
            answer, absent = ask(path, **theirs), ask(path, **nobodys)
            refused(live, answer, before)
        assert answer.without(*theirs.values()) == absent.without(*nobodys.values())
        told, meant = (each.headers["www-authenticate"] for each in (answer, absent))
        for name in names:
            told, meant = told.replace(theirs[name], "it"), meant.replace(nobodys[name], "it")
        assert told == meant


def test_a_door_within_the_own_environment_leads_nowhere_else(live, ask):
    """Otherwise: an agent finds out the names of another company's servers and tools."""
    theirs, nobodys = live.globex.refs["slug"], MISSING["slug"]
    call = {"arguments": {"text": "hello"}}
    for path, method, name, swapped in (
        (ONE, "tools/list", "", {"slug": theirs}),
        (ONE, "tools/call", "echo", {"slug": theirs}),
        (ONE, "tools/call", f"{theirs}__echo", {}),
        (WHOLE, "tools/call", f"{theirs}__echo", {}),
    ):
        params = {"name": name, **call} if name else {}
        other = {"name": name.replace(theirs, nobodys), **call} if name else {}
        with live.trial() as before:
            answer = ask(path, method=method, params=params, **swapped)
            live.unchanged(before)
        absent = ask(path, method=method, params=other, **({"slug": nobodys} if swapped else {}))
        assert answer.status == absent.status
        assert answer.without(theirs) == absent.without(nobodys)
        assert answer.json.get("result", {"tools": []}) == {"tools": []}, answer
        live.shows_nothing_of(live.globex, answer, theirs)


def test_what_everybody_may_know_tells_of_nobody(live):
    """Otherwise: an address that asks for no login tells which organizations there are."""
    for path in ("/healthz", "/readyz", "/.well-known/jwks.json"):
        with live.trial() as before:
            answer = live.send("GET", path, b"", "")
            assert answer.status == 200, answer
            live.unchanged(before)
        for estate in (live.acme, live.globex):
            live.shows_nothing_of(estate, answer)
    own = live.send("GET", filled(METADATA, live.acme.refs), b"", "")
    absent = live.send("GET", filled(METADATA, live.acme.refs | MISSING), b"", "")
    assert (own.status, absent.status) == (200, 200)
    ids = [live.acme.refs[name] for name in ("org", "prod")]
    assert own.without(*ids) == absent.without(NO_UUID)
