"""What begins so is found, and nothing besides, as Python and as either database sees it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.rest.beginning import HIGHEST, begins, first_after
from tests.witness import forging

CHARACTERS = st.sampled_from(f"aB_%*:é\ud7ff\ue000{HIGHEST}\x7f")
TEXTS = st.text(CHARACTERS | st.characters(exclude_categories=["Cs"]), max_size=5)


@given(TEXTS, TEXTS)
def test_the_range_is_all_that_begins_so(prefix, text):
    """Otherwise: a search of the audit leaves out what it should have found, or finds too much."""
    end = first_after(prefix)
    for each in (text, prefix + text):
        assert each.startswith(prefix) == (each >= prefix and (end is None or each < end))


@pytest.mark.database
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("agent:", ["agent:", "agent:é", "agent:_", "agent:%", f"agent:{HIGHEST}", "agent:x"]),
        ("agent:_", ["agent:_"]),
        ("agent:%", ["agent:%"]),
        ("Agent", ["Agent:x"]),
        ("agent:é", ["agent:é"]),
        (f"agent:{HIGHEST}", [f"agent:{HIGHEST}"]),
        ("agent:'; --", []),
        ("", None),
    ],
)
def test_databases_compare_bytes(prefix, found):
    """Otherwise: what a search finds depends on the collation that somebody chose once."""
    subjects = ["agent:", "agent:é", "agent:_", "agent:%", f"agent:{HIGHEST}", "agent:x"]
    subjects += ["Agent:x", "agent", "agent;", "user:x"]
    with forging():
        for subject in subjects:
            AuditEvent.objects.create(subject=subject, event_type="x", action="x", target="x")
    rows = AuditEvent.objects.filter(*begins("subject", prefix), event_type="x")
    assert sorted(rows.values_list("subject", flat=True)) == sorted(
        subjects if found is None else found
    )
