"""No sequence of calls gives anybody rights without somebody who had them (TRUST, threat 2).

A machine of random steps plays people of all roles, some of them hostile. What each of them may do
is read from the database before and after every call and judged by a table of its own.
"""

from collections import Counter
from itertools import count
from typing import NamedTuple
from uuid import uuid4

import pytest
from coverage import Coverage
from django.contrib.auth.hashers import make_password
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from hypothesis.strategies import builds, integers, sampled_from

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.tenancy.models import Organization, OrganizationMembership, User
from agentxsuite.control.tenancy.services import add_member, create_organization, create_user
from tests.cast import MADE_BY_HAND, client

pytestmark = [pytest.mark.database, pytest.mark.django_db]

RIGHTS = {
    "owner": {"audit", "read", "execute", "manage", "end"},
    "admin": {"audit", "read", "execute", "manage"},
    "operator": {"audit", "read", "execute"},
    "viewer": {"audit", "read"},
    "auditor": {"audit"},
}
NONE: set[str] = set()
CAST = ("alice", "adam", "bob", "vera", "charlie")  # two of whom are no members at first
SPARE = ("new", "other")  # addresses that are nobody's yet
PASSWORD = "correct horse battery staple"
API = "/api/v1"
NUMBERS = count()
BOUNDS = settings(
    max_examples=8,
    stateful_step_count=40,
    derandomize=True,  # what it finds, it finds in every run
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def untraced():
    """Thousands of calls that other tests make too: tracing each line of them takes minutes."""
    measuring = Coverage.current()
    if measuring:
        measuring.stop()
    yield
    if measuring:
        measuring.start()


class Invited(NamedTuple):
    """What the machine remembers of an invitation."""

    code: str
    path: str
    place: str
    email: str
    role: str
    giver: str


class Step(NamedTuple):
    """Somebody tries something; `place`, `whom` and `number` say what it is tried on."""

    what: str
    actor: int
    whom: int
    place: int
    name: str
    role: str
    number: int


STEPS = builds(
    Step,
    what=sampled_from(
        [
            "invite",
            "redeem",
            "redeem",
            "register",
            "change",
            "suspend",
            "restore",
            "remove",
            "withdraw",
        ]
        * 3
        + ["misuse", "move", "move", "smuggle", "look", "found", "end"]
    ),
    actor=sampled_from([0, 0, 0, 1, 1, 1, 2, 3, 4]),  # who may much does more that counts
    whom=sampled_from(range(len(CAST))),
    place=sampled_from([0, 0, 0, 1]),
    name=sampled_from([*CAST, *CAST[2:], *SPARE]),
    role=sampled_from(sorted(RIGHTS)),
    number=integers(0, 99),
)


class Escalation(RuleBasedStateMachine):
    """Two organizations, five people, and whatever they come upon to ask for."""

    done: Counter[str] = Counter()
    hashed = ""

    def __init__(self) -> None:
        super().__init__()
        self.domain = f"m{next(NUMBERS)}.example"
        self.people = [create_user(MADE_BY_HAND, self.email(name), None) for name in CAST]
        User.objects.filter(id__in=[user.id for user in self.people]).update(password=self.hashed)
        alice, charlie = (Actor.person(self.people[number]) for number in (0, 4))
        acme = create_organization(alice, f"Acme {self.domain}")
        for user, role in zip(self.people[1:3], ("admin", "operator"), strict=True):
            add_member(alice, acme, user, role)
        globex = create_organization(charlie, f"Globex {self.domain}")
        self.places = [str(acme.id), str(globex.id)]
        self.invitations: list[Invited] = []
        self.spent: set[str] = set()
        self.browsers = [client(user) for user in self.people]
        self.now = self.table()

    def email(self, name):
        return f"{name}@{self.domain}"

    def table(self):
        """What everybody may do everywhere, by person and organization."""
        rows = OrganizationMembership.objects.filter(
            user__email__endswith=self.domain,
            user__is_active=True,
            is_active=True,
            organization__deleted_at=None,
        )
        return {
            (str(user), str(place)): RIGHTS[role]
            for user, place, role in rows.values_list("user_id", "organization_id", "role")
        }

    def act(self, step, actor, method, path, body=None, giver=None):
        """Send one request and judge what it did; returns the answer."""
        before, browser = self.now, client() if actor is None else self.browsers[actor]
        known = {place for _, place in before} | set(self.places)
        address = f"{next(NUMBERS)}"  # nobody is throttled
        answer = getattr(browser, method)(f"{API}/{path}", body, format="json", REMOTE_ADDR=address)
        assert answer.status_code < 500
        self.now = self.table()
        who = "" if actor is None else str(self.people[actor].id)
        self.judge(before, self.now, who, giver or who, known)
        self.done[step] += answer.status_code < 300
        return answer

    def judge(self, before, after, actor, giver, known):
        """Nobody gains what the giver had not, and nobody loses to somebody lower."""
        for (user, place), rights in after.items():
            if rights - before.get((user, place), NONE):
                if place not in known:
                    assert user == actor  # who has founded it
                    continue
                assert rights | {"manage"} <= before.get((giver, place), NONE)
        for (user, place), rights in before.items():
            if user != actor and rights - after.get((user, place), NONE):
                assert rights | {"manage"} <= before.get((actor, place), NONE)
        owned = {place for (_, place), rights in after.items() if "end" in rights}
        standing = Organization.objects.live().filter(id__in=self.places)
        assert {str(place.id) for place in standing} <= owned
        assert not User.objects.filter(email__endswith=self.domain, is_operator=True).exists()

    @rule(step=STEPS)
    def do(self, step):
        getattr(self, step.what)(step)

    def invite(self, step):
        path, email = f"orgs/{self.places[step.place]}/invitations/", self.email(step.name)
        answer = self.act("invite", step.actor, "post", path, {"email": email, "role": step.role})
        if answer.status_code == 201:
            made, giver = answer.json(), str(self.people[step.actor].id)
            one, place = f"{path}{made['id']}/", self.places[step.place]
            self.invitations.append(Invited(made["code"], one, place, email, step.role, giver))

    def invited(self, step):
        """One of the last invitations, new or used up; where there is none, the owner invites."""
        if not self.invitations:
            nobody = f"guest{next(NUMBERS)}"  # SPARE addresses may be taken by now
            self.invite(step._replace(actor=0, place=0, name=nobody))
        if not self.invitations:  # the owner has gone: a code that nobody gave
            path = f"orgs/{self.places[0]}/invitations/{uuid4()}/"
            return Invited("made up", path, self.places[0], self.email(step.name), "owner", "")
        return self.invitations[-1 - step.number % min(3, len(self.invitations))]

    def withdraw(self, step):
        invited = self.invited(step)
        if self.act("withdraw", step.actor, "delete", invited.path).status_code == 204:
            self.spent.add(invited.code)

    def redeem(self, step):
        """Whoever an invitation is for uses it; where nobody has such an address, somebody else."""
        self.invited(step)
        ways = [
            (number, invited)
            for invited in self.invitations[-5:]
            for number, user in enumerate(self.people)
            if fresh(user).email == invited.email
        ]
        ways = ways or [(step.actor, self.invited(step))]
        self.join(*ways[step.number % len(ways)])

    def misuse(self, step):
        invited = self.invited(step)
        self.join(step.whom, invited)
        self.sign_up(invited._replace(email=self.email(step.name)))

    def register(self, step):
        self.sign_up(self.invited(step))

    def join(self, actor, invited):
        body = {"invitation": invited.code}
        answer = self.act("redeem", actor, "post", "auth/me/orgs/", body, invited.giver)
        if answer.status_code == 201:
            self.used(invited, self.people[actor])

    def sign_up(self, invited):
        body = {"email": invited.email, "password": PASSWORD, "invitation": invited.code}
        answer = self.act("register", None, "post", "auth/register/", body, invited.giver)
        if answer.status_code == 201:
            self.used(invited, User.objects.get(email=invited.email))

    def used(self, invited, user):
        """A code has led somebody in: the right one, once, and into the role that was meant."""
        meant = next(each for each in self.invitations if each.code == invited.code)
        assert invited.code not in self.spent
        self.spent.add(invited.code)
        assert fresh(user).email == meant.email
        assert self.now[str(user.id), meant.place] == RIGHTS[meant.role]

    def change(self, step):
        self.act("change", step.actor, "patch", self.member(step), {"role": step.role})

    def suspend(self, step):
        self.act("suspend", step.actor, "patch", self.member(step), {"is_active": False})

    def restore(self, step):
        self.act("restore", step.actor, "patch", self.member(step), {"is_active": True})

    def remove(self, step):
        self.act("remove", step.actor, "delete", self.member(step))

    def member(self, step):
        return f"orgs/{self.places[step.place]}/members/{self.people[step.whom].id}/"

    def move(self, step):
        body = {"email": self.email(step.name), "password": PASSWORD}
        self.act("move", step.actor, "patch", "auth/me/", body)

    def found(self, step):
        self.act("found", step.actor, "post", "orgs/", {"name": f"New {next(NUMBERS)}"})

    def end(self, step):
        if step.number < 20:  # or little would go on
            self.act("end", step.actor, "delete", f"orgs/{self.places[step.place]}/")

    def smuggle(self, step):
        place, user = self.places[step.place], str(self.people[step.whom].id)
        mine = self.member(step._replace(whom=step.actor))
        method, path, body = (
            ("post", "auth/me/orgs/", {"id": place}),
            ("post", "auth/me/orgs/", {"name": "x", "organization": place, "role": "owner"}),
            ("patch", "auth/me/", {"is_operator": True, "first_name": "x"}),
            ("patch", f"orgs/{place}/", {"name": f"x{next(NUMBERS)}", "id": self.places[0]}),
            ("patch", mine, {"user": user, "role": "owner"}),
            ("put", "auth/me/", {"organizations": [{"id": place, "role": "owner"}]}),
        )[step.number % 6]
        self.act("smuggle", step.actor, method, path, body)

    def look(self, step):
        place = self.places[step.place]
        rights = self.now.get((str(self.people[step.actor].id), place), NONE)
        status = 200 if "read" in rights else 403 if rights else 404
        answer = self.act("look", step.actor, "get", f"orgs/{place}/environments/")
        assert answer.status_code == status


def fresh(user):
    user.refresh_from_db()
    return user


def test_no_sequence_of_calls_raises_anybodys_rights(settings, untraced):
    """Otherwise: somebody finds a way to more than anybody gave them."""
    settings.REGISTRATION = "open"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    Escalation.hashed = make_password(PASSWORD)
    run_state_machine_as_test(Escalation, settings=BOUNDS)
    done = Escalation.done
    assert done["invite"]
    assert done["redeem"] + done["register"]
    assert done["change"] + done["suspend"] + done["restore"] + done["remove"]
