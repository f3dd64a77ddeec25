import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentxsuite.control.catalog.models import SLUG, Connection
from agentxsuite.control.catalog.services import create_connection
from agentxsuite.control.catalog.slugs import slug_of


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Pdf", "pdf"),
        ("Größe & Maß", "groe-ma"),
        ("  Paris: Café!  ", "paris-cafe"),
        ("3D printer", "c-3d-printer"),
        ("東京", "connection"),
        ("--", "connection"),
        ("a" * 40, "a" * 31),
        ("a" * 30 + " b", "a" * 30),
    ],
)
def test_a_slug_reads_like_the_name(name, slug):
    """Nobody could tell from a policy's target which server is meant."""
    assert slug_of(name) == slug


@given(st.text())
def test_every_name_gives_a_proper_slug(name):
    """A connection with an odd name could not be stored."""
    assert re.match(SLUG, slug_of(name))


@pytest.mark.database
def test_a_slug_is_never_given_twice(actor, prod, dev):
    """A policy that speaks of a deleted server would silently speak of a new one."""
    url = "https://x.example"
    made = [create_connection(actor, prod, f"Pdf {'!' * n}", url) for n in range(3)]
    Connection.objects.filter(id=made[0].id).update(deleted_at=made[0].created_at)
    again = create_connection(actor, prod, "Pdf ", url)
    assert [each.slug for each in (*made, again)] == ["pdf", "pdf-2", "pdf-3", "pdf-4"]
    assert create_connection(actor, dev, "Pdf", url).slug == "pdf"


@pytest.mark.database
def test_long_names_are_told_apart_too(actor, prod):
    """The second connection with a long name could not be stored."""
    made = [create_connection(actor, prod, "a" * 40 + str(n), "https://x.example") for n in "12"]
    assert [each.slug for each in made] == ["a" * 31, "a" * 29 + "-2"]
