"""The REST view of resources and prompts, tried with every credential that does not fit."""

import pytest

from tests.sweeps.rows import LADDER, filled
from tests.sweeps.stage import NO_UUID

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

BASE = "/api/v1/orgs/$org/mcp/$prod"
LISTS = (f"{BASE}/resources/", f"{BASE}/prompts/")
ONES = (f"{BASE}/resources/$slug+file:%2F%2F%2Fx/", f"{BASE}/prompts/$slug%2Fgreet/")


@pytest.fixture
def ask(live):
    """Ask as somebody, perhaps for something foreign; persons name an agent."""

    def ask(path, token, query="", **swapped):
        return live.send("GET", filled(path, live.acme.refs | swapped) + query, b"", token)

    return ask


def test_an_agent_and_those_who_may_run_it_see_its_lists(live, ask):
    """Otherwise: the cells below refuse because nobody is ever let in."""
    for path in LISTS:
        scoped = ask(path, live.acme.agent_token())
        assert (scoped.status, scoped.json["code"]) == (403, "insufficient_scope")
        for role in LADDER:
            answer = ask(path, live.acme.logins[role], f"?agent={live.acme.refs['agent_slug']}")
            assert answer.status == (200 if role in LADDER[:3] else 403), (role, answer)
            live.shows_nothing_of(live.globex, answer)


@pytest.mark.parametrize("path", [*LISTS, *ONES])
def test_nobody_else_gets_in(live, ask, path):
    """Otherwise: what a company's servers offer is seen, or read, from outside."""
    tokens = ["", live.acme.agent_token("elsewhere"), live.globex.agent_token(), "x" * 64]
    for token in tokens:
        with live.trial() as before:
            answer = ask(path, token)
            assert answer.status == 401, answer
            live.unchanged(before)
    agent = f"?agent={live.acme.refs['agent_slug']}"
    with live.trial() as before:
        stranger = ask(path, live.globex.logins["owner"], agent)
        absent = ask(path, live.globex.logins["owner"], agent, org=NO_UUID, prod=NO_UUID)
        assert (stranger.status, absent.status) == (404, 404)
        assert stranger.without() == absent.without()
        live.unchanged(before)


@pytest.mark.parametrize("path", [*LISTS, *ONES])
def test_what_is_anothers_looks_as_if_it_were_not_there(live, ask, path):
    """Otherwise: somebody finds out which agents and environments others have."""
    owner = live.acme.logins["owner"]
    theirs, nobodys = live.globex.refs["agent"], NO_UUID
    answers = [ask(path, owner, f"?agent={each}") for each in (theirs, nobodys)]
    assert [each.status for each in answers] == [404, 404]
    assert answers[0].without() == answers[1].without()
    agent = f"?agent={live.acme.refs['agent_slug']}"
    places = [ask(path, owner, agent, prod=each) for each in (live.globex.refs["prod"], NO_UUID)]
    assert [each.status for each in places] == [404, 404]
    assert places[0].without() == places[1].without()
