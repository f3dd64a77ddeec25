import json
import logging
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.problems import Invalid
from agentxsuite.control.secretstore import services
from agentxsuite.control.secretstore.keys import MasterKey, MasterKeys
from agentxsuite.control.secretstore.models import DataKey, Secret, SecretVersion

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("master_keys")]


@pytest.fixture
def secret(actor, acme, prod):
    return services.store(actor, acme, prod, "canary-1", "upstream")


def plain(organization, environment, *refs):
    revealed = services.reveal_many(organization.id, environment and environment.id, refs)
    return {ref: (each.value.reveal(), each.version) for ref, each in revealed.items()}


def test_a_secret_comes_back_to_whom_it_belongs(secret, acme, prod):
    """A connection could not log in with the credential that was stored for it."""
    assert plain(acme, prod, secret.ref) == {secret.ref: ("canary-1", 1)}


def test_the_database_does_not_hold_the_value(secret):
    """Whoever reads a backup would read the credential."""
    stored = list(SecretVersion.objects.values()) + list(DataKey.objects.values())
    events = list(AuditEvent.objects.values())
    assert "canary" not in repr(stored) + repr(events)
    assert [event["event_type"] for event in events] == ["secret_stored"]


def test_refs_tell_nothing_and_are_never_alike(actor, acme):
    """A ref could be guessed, or tell what it stands for."""
    refs = {services.store(actor, acme, None, "x", "upstream").ref for _ in range(20)}
    assert len(refs) == 20
    assert all(ref.startswith("sec_") and len(ref) > 30 for ref in refs)


def test_rotation_keeps_the_ref(secret, actor, acme, prod):
    """Every connection would have to be edited when a credential is changed."""
    assert services.rotate(actor, secret, "canary-2") == 2
    assert plain(acme, prod, secret.ref) == {secret.ref: ("canary-2", 2)}
    assert AuditEvent.objects.filter(event_type="secret_rotated", event_data__version=2).exists()


def test_another_tenant_does_not_get_it(secret, globex, globex_prod, prod):
    """A tenant who learns a ref would use another tenant's credential."""
    assert plain(globex, globex_prod, secret.ref) == {}
    assert plain(globex, prod, secret.ref) == {}


def test_another_environment_does_not_get_it(secret, acme, dev):
    """What may only act in production would act from development."""
    assert plain(acme, dev, secret.ref) == {}
    assert plain(acme, None, secret.ref) == {}


def test_a_shared_secret_serves_every_environment(actor, acme, prod, dev):
    """A credential of the whole organization would have to be stored once for each environment."""
    shared = services.store(actor, acme, None, "canary", "upstream")
    assert plain(acme, prod, shared.ref) == plain(acme, dev, shared.ref) != {}


def test_it_goes_into_no_foreign_environment(actor, acme, globex_prod):
    """A secret would stand under two owners at once."""
    with pytest.raises(Invalid):
        services.store(actor, acme, globex_prod, "canary")
    assert not Secret.objects.exists()


def test_a_moved_ciphertext_opens_nowhere(secret, actor, acme, prod, caplog):
    """Whoever can write the database could use one connection's credential for another."""
    other = services.store(actor, acme, prod, "other", "upstream")
    stolen = SecretVersion.objects.get(secret=secret).ciphertext
    SecretVersion.objects.filter(secret=other).update(ciphertext=stolen)
    with caplog.at_level(logging.WARNING):
        assert plain(acme, prod, secret.ref, other.ref) == {secret.ref: ("canary-1", 1)}
    assert other.ref in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.parametrize("change", [{"purpose": "inbound"}, {"environment": None}])
def test_a_ciphertext_is_bound_to_its_purpose_and_environment(secret, acme, prod, change):
    """Widening a secret's row would widen where its credential is sent."""
    Secret.objects.filter(id=secret.id).update(**change)
    assert plain(acme, prod, secret.ref) == {}


def test_each_organization_has_its_own_data_key(secret, actor, globex):
    """One leaked key would open everybody's secrets."""
    services.store(actor, globex, None, "canary")
    keys = {key.organization_id: bytes(key.wrapped) for key in DataKey.objects.all()}
    assert len(set(keys.values())) == 2


def test_revealing_costs_the_same_for_one_and_for_many(
    actor, acme, prod, django_assert_num_queries
):
    """Each connection more would make every snapshot slower."""
    refs = [services.store(actor, acme, prod, f"v{n}").ref for n in range(5)]
    for some in (refs[:1], refs):
        with django_assert_num_queries(1):
            assert len(services.reveal_many(acme.id, prod.id, some)) == len(some)
    with django_assert_num_queries(0):
        assert services.reveal_many(acme.id, prod.id, []) == {}


@pytest.mark.parametrize("value", ["", "a\0b", "\ud800", "ü" * 32 * 1024 + "x"])
def test_what_cannot_be_kept_is_refused_without_repeating_it(actor, acme, value):
    """A value would be stored that nobody can use, or an error page would show it."""
    with pytest.raises(Invalid) as refused:
        services.store(actor, acme, None, value)
    assert [fault["path"] for fault in refused.value.errors] == ["/value"]
    assert not value or value not in repr(refused.value.document())
    assert not Secret.objects.exists()


def test_a_purpose_that_is_too_long_is_refused(actor, acme):
    """A long text would end in a server error on PostgreSQL."""
    with pytest.raises(Invalid):
        services.store(actor, acme, None, "value", "p" * 201)


@pytest.fixture
def lost_keys(secret, settings, tmp_path):
    """The key file is gone after something was encrypted with it."""
    settings.SECRET_KEYS = tmp_path / "lost.json"
    return settings.SECRET_KEYS


def test_no_key_no_service(lost_keys, secret, actor, acme, prod, caplog):
    """Without its keys the platform would store what nobody can ever read again."""
    with pytest.raises(services.SecretsUnavailable) as refused:
        services.store(actor, acme, prod, "value")
    assert refused.value.status == 503
    assert plain(acme, prod, secret.ref) == {}
    assert "lost.json" in caplog.text
    assert not lost_keys.exists()


def test_a_replaced_key_file_is_told(secret, acme, prod, settings, tmp_path, caplog):
    """An operator would not learn why every credential stopped working."""
    settings.SECRET_KEYS = tmp_path / "other.json"
    MasterKeys.create(settings.SECRET_KEYS)
    assert plain(acme, prod, secret.ref) == {}
    assert "is not there" in caplog.text


def test_a_new_master_key_in_front_changes_nothing_stored(secret, acme, prod, settings, tmp_path):
    """Rotating the operator's key would need a stop of the whole platform."""
    old = MasterKeys.load(Path(django_settings.SECRET_KEYS))
    both = MasterKeys((MasterKey.generate(), *old.keys))
    settings.SECRET_KEYS = tmp_path / "both.json"
    settings.SECRET_KEYS.touch(0o600)
    settings.SECRET_KEYS.write_text(repr([key.as_json() for key in both.keys]).replace("'", '"'))
    settings.SECRET_KEYS.write_text('{"keys": ' + settings.SECRET_KEYS.read_text() + "}")
    assert plain(acme, prod, secret.ref) == {secret.ref: ("canary-1", 1)}


@pytest.mark.parametrize("embedded", [True, False])
def test_only_the_embedded_default_makes_its_keys(actor, acme, settings, tmp_path, embedded):
    """A production server would start with keys that nobody has saved."""
    settings.SECRET_KEYS, settings.EMBEDDED = tmp_path / "keys.json", embedded
    if embedded:
        services.store(actor, acme, None, "value")
    else:
        with pytest.raises(services.SecretsUnavailable):
            services.store(actor, acme, None, "value")
    assert settings.SECRET_KEYS.exists() is embedded


def test_a_place_that_cannot_be_written_is_told(actor, acme, settings, tmp_path, caplog):
    """The first secret on a badly mounted disk would end in a stack trace."""
    settings.SECRET_KEYS, settings.EMBEDDED = tmp_path / "missing" / "keys.json", True
    with pytest.raises(services.SecretsUnavailable):
        services.store(actor, acme, None, "value")
    assert "No such file" in caplog.text


def test_keys_of_the_environment_serve_as_well(actor, acme, prod, settings, monkeypatch):
    """On a platform without a disk of its own no secret could be stored."""
    key = MasterKey.generate()
    monkeypatch.setenv("KEYS_OF_TODAY", json.dumps({"keys": [key.as_json()]}))
    settings.SECRET_KEYS = "env:KEYS_OF_TODAY"
    ref = services.store(actor, acme, prod, "value").ref
    assert plain(acme, prod, ref) == {ref: ("value", 1)}
    assert DataKey.objects.get().wrapped_by == key.id


@pytest.mark.parametrize("embedded", [True, False])
def test_no_file_is_made_in_the_place_of_a_variable(actor, acme, settings, embedded):
    """Secrets would be kept under a key that nobody knows of."""
    settings.SECRET_KEYS, settings.EMBEDDED = "env:KEYS_OF_TODAY", embedded
    with pytest.raises(services.SecretsUnavailable):
        services.store(actor, acme, None, "value")
    assert not Path("env:KEYS_OF_TODAY").exists()
