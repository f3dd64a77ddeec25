"""What a server says in an error is told on, without what we have shown to it."""

import pytest

from agentxsuite.engines.upstream.jsonrpc import rpc_error
from agentxsuite.masking import MASK, learn

SECRET = "97531864297531"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (None, None),
        ({"needs": ["sampling"], "n": 2**70}, {"needs": ["sampling"], "n": 2**70}),
        ({"shown": f"Bearer {SECRET}"}, {"shown": f"Bearer {MASK}"}),
        ({"number": int(SECRET)}, None),
        ("x" * 64 * 1024, None),
    ],
)
def test_an_error_does_not_hand_our_credential_on(data, told):
    """Otherwise: a server that echoes what it does not take gives it to every agent."""
    learn(SECRET)
    message = f"no: {SECRET}" + "." * 1000
    error = rpc_error({"code": -32000, "message": message, "data": data})
    assert error.data == told
    assert error.message == f"no: {MASK}" + "." * (1000 - len(f"no: {MASK}"))
