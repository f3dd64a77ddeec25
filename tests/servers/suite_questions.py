"""What the fixtures of the conformance suite ask back, and what they make of the answers."""

import hmac
from typing import Any

from tests.servers.suite_content import JSON, text

KEY = b"of the fixture alone"


def form(message: str, **properties: JSON) -> JSON:
    """Return a question that a person fills in as a form; every field is required."""
    schema = {"type": "object", "properties": properties, "required": [*properties]}
    params = {"message": message, "requestedSchema": schema}
    return {"method": "elicitation/create", "params": params}


def sampling(words: str, tokens: int) -> JSON:
    """Return a question to the client's model."""
    messages = [{"role": "user", "content": text(words)}]
    return {
        "method": "sampling/createMessage",
        "params": {"messages": messages, "maxTokens": tokens},
    }


STRING, BOOLEAN = {"type": "string"}, {"type": "boolean"}
NAME = form("What is your name?", name=STRING)
CAPITAL = sampling("What is the capital of France?", 100)
GREETING = sampling("Generate a greeting", 50)
ROOTS: JSON = {"method": "roots/list", "params": {}}
CONFIRM = form("Please confirm", ok=BOOLEAN)
CONTEXT = form("What context should the prompt use?", context=STRING)

# Of each tool: the questions of each round, and whether its state is kept with the client.
ROUNDS: dict[str, tuple[list[dict[str, JSON]], bool]] = {
    "test_input_required_result_elicitation": ([{"user_name": NAME}], False),
    "test_input_required_result_sampling": ([{"capital_question": CAPITAL}], False),
    "test_input_required_result_list_roots": ([{"client_roots": ROOTS}], False),
    "test_input_required_result_request_state": ([{"confirm": CONFIRM}], True),
    "test_input_required_result_multiple_inputs": (
        [{"user_name": NAME, "greeting": GREETING, "client_roots": ROOTS}],
        True,
    ),
    "test_input_required_result_multi_round": (
        [
            {"step1": form("Step 1: What is your name?", name=STRING)},
            {"step2": form("Step 2: What is your favorite color?", color=STRING)},
        ],
        True,
    ),
    "test_input_required_result_tampered_state": ([{"confirm": CONFIRM}], True),
}
NEEDS = {
    "elicitation/create": "elicitation",
    "sampling/createMessage": "sampling",
    "roots/list": "roots",
}


class StateRefused(Exception):
    """The state that came back is not one of ours."""


def sealed(number: int) -> str:
    """Return the state after so many rounds, with a seal."""
    return f"{number}.{hmac.digest(KEY, str(number).encode(), 'sha256').hex()}"


def opened(state: str | None) -> int:
    """Return how many rounds were played; raises StateRefused."""
    number = (state or sealed(0)).partition(".")[0]
    if not number.isdigit() or not hmac.compare_digest(sealed(int(number)), state or sealed(0)):
        raise StateRefused
    return int(number)


def played(tool: str, answers: JSON | None, state: str | None) -> JSON:
    """Return the next questions of a tool, or its result; raises StateRefused."""
    rounds, keeps_state = ROUNDS[tool]
    number = opened(state)
    asked = rounds[number - 1] if number else rounds[0]
    if answers is not None and all(_fits(asked[key], answers.get(key)) for key in asked):
        number = max(number, 1)
        if number == len(rounds):
            return {"content": [text(f"state-ok: {answers}")]}
        asked, number = rounds[number], number + 1
    else:
        number = max(number, 1)
    result: JSON = {"resultType": "input_required", "inputRequests": asked}
    return {**result, "requestState": sealed(number)} if keeps_state else result


def _fits(question: JSON, answer: Any) -> bool:
    if not isinstance(answer, dict):
        return False
    if question["method"] == "elicitation/create":
        return answer.get("action") in {"accept", "decline", "cancel"}
    return "content" in answer or "roots" in answer


def answerable(questions: dict[str, JSON], capabilities: JSON) -> dict[str, JSON]:
    """Return the questions that a client of these capabilities can answer."""
    return {key: ask for key, ask in questions.items() if NEEDS[ask["method"]] in capabilities}
