"""New keys for old: everything still opens, whatever happens meanwhile."""

from itertools import islice

import pytest
from typer.testing import CliRunner

from agentxsuite import wire
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.catalog.lent import Loan, keep, kept, place_of
from agentxsuite.control.catalog.models import Account
from agentxsuite.control.catalog.services import create_connection
from agentxsuite.control.secretstore import datakeys, services
from agentxsuite.control.secretstore.crypto import seal
from agentxsuite.control.secretstore.keys import MasterKey, MasterKeys
from agentxsuite.control.secretstore.models import DataKey, SecretVersion
from agentxsuite.engines.upstream import Lent
from agentxsuite.project import main, rotating

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
OLD, NEW = MasterKey("old", bytes(32)), MasterKey("new", bytes(range(32)))


@pytest.fixture
def have(settings, tmp_path):
    """Let the operator have these keys, the first of which wraps."""

    def have(*keys):
        path = tmp_path / "master.json"
        path.write_bytes(wire.dumps({"keys": [key.as_json() for key in keys]}))
        path.chmod(0o600)
        settings.SECRET_KEYS = path

    return have


@pytest.fixture
def stored(have, company, rival):
    """Three secrets of one organization and one of another, wrapped by the old master key."""
    have(OLD)
    places = [company, company, company, rival]
    return [
        services.store(each.actor, each.organization, each.prod, f"value-{number}")
        for number, each in enumerate(places)
    ]


@pytest.fixture
def lend(stored, company, settings):
    """Two people's accounts at one server; a way to keep something in one of them."""
    settings.EGRESS_ALLOW = ["127.0.0.0/8"]
    config = {"client_id": "public", "grant": "authorization_code"}
    access = {"auth_method": "oauth2", "auth_config": config}
    url = "http://127.0.0.1:9/mcp"
    connection = create_connection(company.actor, company.prod, "Own", url, **access)

    def lend(name, value):
        user = company.people[name]
        account = Account.objects.filter(user=user).first() or Account(
            organization=company.organization,
            environment=company.prod,
            connection=connection,
            user=user,
        )
        keep(account, Loan(Lent(value, 1.0, ""), "issuer"))
        account.save()
        return account

    return lend


def run(*words):
    """Type the command; returns its status and everything it said."""
    result = CliRunner().invoke(main.app, ["rotatekeys", *words])
    return result.exit_code, result.output


def opened(secret):
    """What a secret opens to now."""
    found = services.reveal_many(secret.organization_id, secret.environment_id, [secret.ref])
    return [each.value.reveal() for each in found.values()]


def lent(name):
    account = Account.objects.select_related("data_key").get(user__email__startswith=name)
    return kept(account).lent.access


def events(kind):
    return list(AuditEvent.objects.filter(event_type=kind).order_by("id"))


def numbers(organization):
    """Number and whether it is retired, of each of an organization's data keys."""
    keys = DataKey.objects.filter(organization=organization).order_by("number")
    return [(key.number, key.retired_at is not None) for key in keys]


def test_an_old_master_key_can_be_taken_away(have, stored, lend):
    """Otherwise: a master key that somebody saw serves for ever."""
    lend("alice", "lent")
    have(NEW, OLD)
    status, said = run()
    assert (status, said.count("1 of 1 data keys")) == (0, 2), said
    assert said.endswith("master key old is not needed any more\n")
    have(NEW)
    assert [opened(each) for each in stored] == [[f"value-{number}"] for number in range(4)]
    assert lent("alice") == "lent"
    told = events("data_key_rewrapped")
    assert {event.organization_id for event in told} == {each.organization_id for each in stored}
    assert {(event.subject, event.target) for event in told} == {
        ("client:command-line", "data_key:1")
    }
    assert run() == (0, said.replace("1 of 1", "0 of 1").removesuffix(said.splitlines()[-1] + "\n"))


def test_one_organization_alone_says_nothing_of_the_others(have, stored, company, rival):
    """Otherwise: a key is taken away that another organization needs."""
    have(NEW, OLD)
    status, said = run("--organization", str(company.organization.id))
    assert status == 0
    assert "master key" not in said
    keys = dict(DataKey.objects.values_list("organization", "wrapped_by"))
    assert keys == {company.organization.id: "new", rival.organization.id: "old"}
    assert run("--organization", "00000000-0000-0000-0000-00000000000a")[0] == 1


@pytest.mark.parametrize("there", [(NEW,), (NEW, MasterKey("old", b"x" * 32))])
def test_what_cannot_be_opened_stays_as_it_is(have, stored, there):
    """Otherwise: the last way back to the secrets is written over."""
    before = list(DataKey.objects.order_by("id").values())
    have(*there)
    for words in ((), ("--data",)):
        status, said = run(*words)
        assert status == 1
        assert "key-encryption key old is not there" in said or "of another key" in said
        assert "value-" not in said
    assert list(DataKey.objects.order_by("id").values()) == before
    assert not events("data_key_rewrapped")
    assert ("old still wraps 2 data keys: keep it" in said) == (len(there) == 2)
    have(OLD)
    assert opened(stored[0]) == ["value-0"]


def test_without_its_keys_nothing_begins(stored, settings, tmp_path):
    """Otherwise: an operator gets a stack trace."""
    settings.SECRET_KEYS = tmp_path / "none.json"
    status, said = run()
    assert (status, said.count("\n")) == (2, 1)
    assert "none.json" in said


def test_everything_is_sealed_with_a_new_data_key(have, stored, lend, company, rival):
    """Otherwise: a data key that somebody saw opens whatever is stored from then on."""
    lend("alice", "lent")
    services.rotate(company.actor, stored[0], "newer")
    before = {row.id: bytes(row.ciphertext) for row in SecretVersion.objects.all()}
    SecretVersion.objects.filter(secret=stored[1]).update(fingerprint="f" * 64)
    status, said = run("--data")
    assert status == 0, said
    assert f"{company.organization.id}: 5 values are sealed anew, with data key 2" in said
    assert [opened(each) for each in stored] == [["newer"], ["value-1"], ["value-2"], ["value-3"]]
    assert lent("alice") == "lent"
    for place in (company, rival):
        assert numbers(place.organization) == [(1, True), (2, False)]
    rows = list(SecretVersion.objects.all())
    assert all(bytes(row.ciphertext) != before[row.id] for row in rows)
    assert not SecretVersion.objects.exclude(data_key__number=2).exists()
    assert SecretVersion.objects.get(secret=stored[1]).fingerprint == "f" * 64
    assert [event.target for event in events("data_key_created")] == ["data_key:2"] * 2
    assert [event.target for event in events("data_key_retired")] == ["data_key:1"] * 2
    assert run("--data")[0] == 0
    assert numbers(company.organization) == [(1, True), (2, True), (3, False)]


def test_both_at_once(have, stored):
    """Otherwise: a retired data key keeps its old master key needed for ever."""
    have(NEW, OLD)
    status, said = run("--data")
    assert status == 0
    assert said.endswith("master key old is not needed any more\n")
    have(NEW)
    assert opened(stored[3]) == ["value-3"]


def begun(organization, steps):
    """Begin with the values, and stop after some of them."""
    masters = datakeys.master_keys()
    newest = rotating.renewed(rotating.BY_HAND, organization.id, masters)
    work = rotating.moved(rotating.BY_HAND, newest, rotating.DRAWERS, masters)
    assert list(islice(work, steps)) == [None] * steps
    return work


def test_whoever_was_interrupted_goes_on(stored, company):
    """Otherwise: half of the secrets stay with the old key, or each try leaves one key more."""
    begun(company.organization, 1).close()
    assert numbers(company.organization) == [(1, False), (2, False)]
    assert [opened(each) for each in stored[:3]] == [["value-0"], ["value-1"], ["value-2"]]
    status, said = run("--data", "--organization", str(company.organization.id))
    assert status == 0
    assert "2 values are sealed anew, with data key 2" in said
    assert numbers(company.organization) == [(1, True), (2, False)]
    assert [opened(each) for each in stored[:3]] == [["value-0"], ["value-1"], ["value-2"]]


def test_what_is_written_meanwhile_is_not_lost(stored, lend, company):
    """Otherwise: who stores a secret during a rotation finds the one before, or none."""
    for name in ("alice", "bob", "vera"):
        lend(name, "before")
    old = DataKey.objects.get(organization=company.organization)
    work = begun(company.organization, 1)
    left = [each for each in stored[:3] if each.versions.get().data_key_id == old.id]
    services.rotate(company.actor, left[0], "newer")
    services.delete(company.actor, left[1])
    late = services.store(company.actor, company.organization, company.prod, "late")
    list(islice(work, 3))
    rows = Account.objects.filter(data_key=old).select_related("data_key")
    assert len(rows) >= 2
    first, second = rows[:2]
    names = [row.user.email.split("@")[0] for row in (first, second)]
    lend(names[0], "after")
    sealed_late(second, "after")
    assert None in list(work)
    assert [lent(name) for name in names] == ["after", "after"]
    assert (opened(left[0]), opened(left[1]), opened(late)) == (["newer"], [], ["late"])
    assert numbers(company.organization) == [(1, True), (2, False)]


def sealed_late(account, access):
    """Write as one does who began before there was a new data key."""
    key = datakeys.opened(account.data_key, datakeys.master_keys())
    plain = wire.dumps([access, 1.0, "", "issuer"])
    account.sealed = seal(key, plain, place_of(account))
    account.save()


def test_a_broken_value_is_named_and_keeps_its_key(stored, company):
    """Otherwise: one broken row stops all others, or its key is called done with."""
    broken = stored[1].versions.get()
    SecretVersion.objects.filter(id=broken.id).update(ciphertext=b"\x01broken")
    status, said = run("--data")
    assert status == 1
    assert f"secret version {broken.id} stays: altered, moved, or of another key" in said
    assert [opened(each) for each in stored] == [["value-0"], [], ["value-2"], ["value-3"]]
    assert numbers(company.organization) == [(1, False), (2, False)]
    services.delete(company.actor, stored[1])
    assert run("--data", "--organization", str(company.organization.id))[0] == 0
    assert numbers(company.organization) == [(1, True), (2, False)]


def test_long_work_is_told(stored, monkeypatch):
    """Otherwise: an operator interrupts what seems to hang."""
    monkeypatch.setattr(rotating, "STEP", 2)
    assert "2 values so far" in run("--data")[1]


def test_without_a_key_in_use_nothing_is_sealed(stored, company):
    """Otherwise: an operator gets a stack trace where all data keys were retired by hand."""
    DataKey.objects.filter(organization=company.organization).update(retired_at="2026-01-01T00Z")
    status, said = run("--data")
    assert status == 1
    assert "nothing is sealed anew: there is no data key in use" in said


def test_a_made_key_has_a_name_of_its_own(tmp_path):
    """Otherwise: a new key takes the name of an old one, and neither opens the other's."""
    made = [MasterKeys.create(tmp_path / name).wrapping.id for name in ("a", "b")]
    assert made[0] != made[1]
