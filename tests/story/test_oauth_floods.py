"""Clients register themselves, but not as many as somebody likes."""

import pytest
from django.test import Client as Browser

from agentxsuite.control.oauth.endpoints import REGISTRATIONS

pytestmark = [pytest.mark.database, pytest.mark.django_db]
CLIENT = {"client_name": "one of many", "redirect_uris": ["http://127.0.0.1/back"]}


def register(address):
    asked = {"content_type": "application/json", "REMOTE_ADDR": address}
    return Browser().post("/oauth/register/", CLIENT, **asked).status_code


def test_a_network_of_addresses_registers_as_one(db):
    """Otherwise: whoever has one IPv6 network fills the room for new clients within seconds."""
    addresses = (f"2001:db8:5::{number:x}" for number in range(3 * REGISTRATIONS.burst))
    assert 429 in map(register, addresses)
    assert register("2001:db8:6::1") == 201
