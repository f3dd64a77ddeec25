"""Whoever may look finds every run and every event again; nobody else finds anything."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.runs.models import Run, RunStep
from tests import cast
from tests.cast import client
from tests.witness import forging

company, rival = cast.company, cast.rival  # fixtures, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db]
AGENT, TOOL = uuid4(), uuid4()


@pytest.fixture
def home(company):
    return f"/api/v1/orgs/{company.organization.id}"


@pytest.fixture
def runs(company):
    """Five runs as the ledger leaves them: the third was denied, the last is another agent's."""
    return [_run(company, number) for number in range(5)]


@forging()
def _run(company, number):
    denied = {"status": "failed", "outcome_code": "denied"} if number == 2 else {}
    return Run.objects.create(
        organization=company.organization,
        environment=company.prod,
        agent_id=AGENT if number < 4 else uuid4(),
        tool_id=TOOL,
        agent_name="Clerk" if number < 4 else "Porter",
        tool_name="pay/send",
        subject=f"agent:{AGENT}",
        door="rest",
        decision_id=uuid4(),
        timeout_seconds=30,
        input_json={"amount": 10**29 + number},
        **{"status": "succeeded", **denied},
    )


@pytest.fixture
def events(company):
    """Three events whose subjects, actions and targets differ in one thing each."""
    rows = [("agent:a1", "tool.invoke", "tool:pay/send", "deny")]
    rows += [("agent:a2", "tool.invoke", "tool:pay/read", "allow")]
    rows += [("AGENT:a1", "tool.list", "tool:pay_/read", "allow")]
    return [_event(company, *row) for row in rows]


def _event(company, subject, action, target, decision):
    return AuditEvent.objects.create(
        organization=company.organization,
        event_type="run_denied",
        subject=subject,
        action=action,
        target=target,
        decision=decision,
    )


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_runs_are_paged_newest_first_while_new_ones_arrive(company, home, runs):
    """Otherwise: somebody reading a long list misses runs or reads them twice."""
    browser = client(company.people["vera"])
    first = browser.get(f"{home}/runs/?page_size=2")
    assert set(first.json()) == {"next", "previous", "results"}
    _run(company, 0)
    second = browser.get(first.json()["next"])
    third = browser.get(second.json()["next"])
    assert ids(first) + ids(second) + ids(third) == [str(run.id) for run in reversed(runs)]
    assert third.json()["next"] is None
    assert ids(browser.get(third.json()["previous"])) == ids(second)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        (f"agent={AGENT}", [3, 2, 1, 0]),
        ("agent=Porter", [4]),
        (f"tool={TOOL}&status=failed", [2]),
        ("tool=pay/send&outcome_code=denied", [2]),
        ("tool=pay", []),
    ],
)
def test_runs_are_found_by_what_people_know(company, home, runs, query, numbers):
    """Otherwise: "what did this agent do" has no answer."""
    found = ids(client(company.people["ada"]).get(f"{home}/runs/?{query}"))
    assert found == [str(runs[number].id) for number in numbers]


def test_a_run_is_shown_whole_with_its_steps(company, home, runs):
    """Otherwise: nobody can tell what happened in a run, or sees a rounded amount."""
    with forging():
        RunStep.objects.create(
            run=runs[0], organization=company.organization, step_type="upstream", message="answered"
        )
    browser = client(company.people["ada"])
    run = browser.get(f"{home}/runs/{runs[0].id}/").json()
    assert run["input_json"] == {"amount": 10**29}
    assert (run["agent"], run["agent_name"]) == (str(AGENT), "Clerk")
    steps = browser.get(f"{home}/runs/{runs[0].id}/steps/").json()["results"]
    assert [step["message"] for step in steps] == ["answered"]
    assert browser.get(f"{home}/runs/{runs[1].id}/steps/").json()["results"] == []


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("subject=agent:a1", [0]),
        ("subject=agent:*", [1, 0]),
        ("action=tool.invoke", [1, 0]),
        ("target=tool:pay/*", [1, 0]),
        ("target=tool:pay_/*", [2]),
        ("target=tool:pay%25*", []),
        ("target=tool:pay/send&decision=deny", [0]),
        ("subject=agent:a1&action=tool.list", []),
    ],
)
def test_events_are_found_exactly_or_by_prefix(company, home, events, query, numbers):
    """Otherwise: an auditor gets too much, or misses what matters."""
    found = ids(client(company.people["ada"]).get(f"{home}/audit/?{query}"))
    assert found == [str(events[number].id) for number in numbers]


def test_a_star_alone_is_everything(company, home, events):
    """Otherwise: the widest search finds less than no search."""
    browser = client(company.people["ada"])
    assert ids(browser.get(f"{home}/audit/?target=*")) == ids(browser.get(f"{home}/audit/"))


def test_events_are_found_by_time(company, home, events):
    """Otherwise: "what happened last night" has no answer."""
    browser, now = client(company.people["ada"]), datetime.now(UTC)
    past, future = (now + timedelta(hours=hours) for hours in (-2, 2))
    everything = ids(browser.get(f"{home}/audit/"))

    def between(**moments):
        return ids(browser.get(f"{home}/audit/", {n: m.isoformat() for n, m in moments.items()}))

    assert between(ts_from=past, ts_to=future) == everything
    assert between(ts_from=future) == between(ts_to=past) == []
    assert between(ts_from=events[0].ts, ts_to=events[0].ts) == [str(events[0].id)]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("runs/?status=odd", 400),
        ("runs/?agent=%00", 400),
        ("runs/?cursor=%C3%BC", 404),
        ("runs/?cursor=cD14", 404),
        ("audit/?target=%00*", 400),
        ("audit/?ts_from=yesterday", 400),
        ("audit/?ts_from=0001-01-01T00:00:00%2B14:00", 400),
        ("audit/?ts_to=9999-12-31T23:59:59Z", 200),
        ("audit/?ts_from=1900-01-01", 200),
        ("runs/nothing/", 404),
        ("audit/?page_size=-1", 400),
    ],
)
def test_odd_questions_get_an_answer(company, home, address, status):
    """Otherwise: a typing error, or a hostile one, becomes a 500."""
    answer = client(company.people["ada"]).get(f"{home}/{address}")
    assert answer.status_code == status
    assert status == 200 or answer["Content-Type"] == "application/problem+json"


def test_foreign_evidence_looks_like_none(company, rival, home, runs, events):
    """Otherwise: a stranger reads, or counts, another tenant's calls."""
    stranger = client(rival.owner)
    own = f"/api/v1/orgs/{rival.organization.id}"
    missing = stranger.get(f"/api/v1/orgs/{uuid4()}/runs/")
    answers = [stranger.get(f"{home}/{kind}/") for kind in ("runs", "audit")]
    for place in (home, own):
        answers += [stranger.get(f"{place}/runs/{runs[0].id}/")]
        answers += [stranger.get(f"{place}/runs/{runs[0].id}/steps/")]
        answers += [stranger.get(f"{place}/audit/{events[0].id}/")]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.content for answer in answers} == {missing.content}
    assert ids(stranger.get(f"{own}/runs/?agent={AGENT}")) == []


def test_an_event_is_shown_to_those_inside(company, home, events):
    """Otherwise: an event in a list cannot be looked at."""
    shown = client(company.people["vera"]).get(f"{home}/audit/{events[0].id}/").json()
    assert (shown["target"], shown["decision"]) == ("tool:pay/send", "deny")


def test_everybody_sees_their_own_organizations(company, rival):
    """Otherwise: people cannot find where they belong, or find where they do not."""
    stranger = client(rival.owner)
    assert [o["name"] for o in stranger.get("/api/v1/orgs/").json()["results"]] == ["Globex"]
    mine = client(company.people["vera"]).get("/api/v1/auth/me/orgs/").json()
    assert (mine["count"], mine["results"][0]["role"]) == (1, "viewer")
