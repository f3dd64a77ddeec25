"""A process environment with nothing of ours in it."""

import os
import runpy
import secrets
from pathlib import Path
from types import SimpleNamespace

import pytest

from agentxsuite.project import environment
from tests.matrix import OURS

SETTINGS = Path(environment.__file__).with_name("settings.py")


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """As on a new machine, but for the folder of data; returns that folder."""
    for name in (*OURS, "REDIS_URL", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def production(bare, monkeypatch):
    """As where the database is PostgreSQL and everything is set as it should be."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db.example/agentxsuite")
    monkeypatch.setenv("DATABASE_LEDGER_URL", "postgresql://ledger@db.example/agentxsuite")
    monkeypatch.setenv("SECRET_KEY", secrets.token_urlsafe(48))
    monkeypatch.setenv("PUBLIC_URL", "https://door.example.org/")
    return bare


@pytest.fixture
def settings_now():
    """Read the settings anew, as a new process would."""

    def settings_now():
        assert os.environ["DATA_DIR"].startswith("/")
        return SimpleNamespace(**runpy.run_path(str(SETTINGS)))

    return settings_now
