"""The gateway's own doors, tried with every credential that does not fit."""

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


def foreign(live, path, names):
    """What is Globex's, and what is nobody's, under these names of a path."""
    mine = {name: live.globex.refs[name] for name in names}
    return mine, {name: MISSING[name] for name in names}


def refused(live, answer, before_it):
    """Nobody got in, is told how to, and left nothing but evidence."""
    assert answer.status == 401, answer
    assert "resource_metadata=" in answer.headers["www-authenticate"], answer
    live.unchanged(before_it)


@pytest.mark.parametrize("path", [WHOLE, ONE])
def test_an_agent_gets_its_own_and_what_it_does_is_on_record(live, ask, path):
    """Otherwise: the doors below refuse because nobody is ever let in."""
    listed = ask(path)
    assert listed.status == 200, listed
    names = [tool["name"] for tool in listed.json["result"]["tools"]]
    own = [f"{live.acme.refs['slug']}__echo", "echo"][path == ONE]
    assert own in names
    live.shows_nothing_of(live.globex, listed)
    params = {"name": own, "arguments": {"text": "hello"}}
    called = ask(path, method="tools/call", params=params).json["result"]
    assert called["content"][0]["text"] == "hello", called
    agent = f"subject=agent:{live.acme.refs['agent']}&action=tool.invoke"
    audit = filled(f"/api/v1/orgs/$org/audit/?{agent}", live.acme.refs)
    events = live.send("GET", audit, b"", live.acme.logins["auditor"]).shown
    assert [event["event_type"] for event in events] == ["run_finished", "run_started"]
    assert {event["target"] for event in events} == {f"tool:{live.acme.refs['tool_name']}"}


@pytest.mark.parametrize("path", [WHOLE, ONE])
def test_no_other_credential_opens_an_agents_door(live, ask, path):
    """Otherwise: a token for one place opens another one."""
    tokens = {
        "nobody": "",
        "another environment's agent": live.acme.agent_token("elsewhere"),
        "another company's agent": live.globex.agent_token(),
        "no token at all": "x" * 64,
        **{f"a login of the {role}": token for role, token in live.acme.logins.items()},
    }
    for method in ("tools/list", "tools/call", "ping", "resources/list", "nothing/known"):
        for whose, token in tokens.items():
            with live.trial() as before:
                answer = ask(path, token, method)
                assert answer.status == 401, (whose, method, answer)
                refused(live, answer, before)
                live.shows_nothing_of(live.globex, answer)


@pytest.mark.parametrize("names", [("org",), ("prod",), ("org", "prod")])
@pytest.mark.parametrize("path", [WHOLE, ONE])
def test_an_agent_at_another_door_learns_nothing(live, ask, path, names):
    """Otherwise: an agent finds out which organizations and environments there are."""
    theirs, nobodys = foreign(live, path, names)
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
