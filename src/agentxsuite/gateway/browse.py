"""The REST view of what servers offer beside tools: ``/api/v1/orgs/{org}/mcp/{env}/...``.

Lists of resources and prompts, and one of them, which is to use it: judged and recorded as at the
MCP door. A person names the agent to run as: ``?agent=``.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct

from agentxsuite import wire
from agentxsuite.gateway import relinking
from agentxsuite.gateway.authorize import GET, READ
from agentxsuite.gateway.call import Call, Entry
from agentxsuite.gateway.facts import Offer
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.http import Request, Send, problem, reply, unless_gone
from agentxsuite.gateway.jsonrpc import RESOURCE_NOT_FOUND
from agentxsuite.gateway.offered import LISTED_PROMPTS, LISTED_RESOURCES, Sort, list_offers
from agentxsuite.gateway.refusals import (
    Malformed,
    Refusal,
    Unauthenticated,
    Unknown,
    UpstreamRefused,
)
from agentxsuite.gateway.rest import CHALLENGE, fault, identifier, lowered_id
from agentxsuite.gateway.uses import GETTING, READING, Use, use
from agentxsuite.wire import JSON

PATH = re.compile(r"/api/v1/orgs/([^/]+)/mcp/([^/]+)/(resources|prompts)/(?:(.+)/)?", re.DOTALL)
SIZE, MAX_SIZE = 50, 200
Relink = Callable[[Mapping[str, JSON], str], Mapping[str, JSON]]


class Noun(NamedTuple):
    """Resources or prompts: how they are listed, used, keyed, and what they may be asked with."""

    sort: Sort
    way: Use
    action: str
    key: str
    relink: Relink
    one: frozenset[str]


class Asked(Struct, frozen=True):
    """What a request asks for."""

    noun: Noun
    call: Call
    name: str | None
    query: Mapping[str, str]
    path: str


NOUNS = {
    "resources": Noun(
        LISTED_RESOURCES, READING, READ, "uri", relinking.of_reading, frozenset({"agent"})
    ),
    "prompts": Noun(
        LISTED_PROMPTS, GETTING, GET, "name", relinking.of_prompt, frozenset({"agent", "arguments"})
    ),
}
MANY = frozenset({"agent", "page", "page_size"})


async def browse(request: Request, parts: Sequence[str], gate: Gate, send: Send) -> None:
    """Answer one GET: a page, one thing, or a problem."""
    try:
        asked = read(request, parts, gate)
        work = listed(asked, gate) if asked.name is None else used(asked, gate)
        content = await unless_gone(work, request.receive)
    except Refusal as refusal:
        challenge = CHALLENGE if isinstance(refusal, Unauthenticated) else ()
        await problem(send, missing_upstream(refusal), challenge)
    else:
        await reply(send, 200, wire.dumps(content))


def read(request: Request, parts: Sequence[str], gate: Gate) -> Asked:
    """What is asked; raises Unknown, or Malformed with every fault of the query."""
    organization, environment, plural, name = parts
    noun = NOUNS[plural]
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    known = MANY if name is None else noun.one
    faults = [
        fault(each, f"unknown parameter; known are {', '.join(sorted(known))}")
        for each in query
        if each not in known
    ]
    if faults:
        raise malformed(faults)
    call = Call(
        door="rest",
        organization=identifier(organization),
        environment=identifier(environment),
        credential=request.text(b"authorization"),
        address=request.address,
        client=(request.text(b"user-agent") or "")[:200],
        received=gate.clock(),
        action="mcp.connect" if name is None else noun.action,
        agent=lowered_id(query.get("agent")),
        tool=name or "",
        arguments=arguments_of(query),
        named=request.text(b"x-agent"),
        certificate=request.certificate,
    )
    return Asked(noun, call, name, query, f"{gate.public_url}{request.path}")


def arguments_of(query: Mapping[str, str]) -> Mapping[str, JSON]:
    """A prompt's arguments, given as one JSON object; raises Malformed."""
    try:
        given = wire.loads(query.get("arguments", "{}").encode())
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise malformed([fault("arguments", "must be a JSON object")])
    return given


async def listed(asked: Asked, gate: Gate) -> dict[str, JSON]:
    """One page of a list."""
    number = positive(asked.query, "page", 1)
    size = min(positive(asked.query, "page_size", SIZE), MAX_SIZE)
    found = (await list_offers(asked.call, gate, asked.noun.sort)).offers
    last = max(1, -(-len(found) // size))
    if number > last:
        raise Unknown("not_found", "There is no such page.")
    start = (number - 1) * size
    return {
        "count": len(found),
        "next": page_address(asked, number + 1) if number < last else None,
        "previous": page_address(asked, number - 1) if number > 1 else None,
        "results": [
            {**known(offer, asked.noun), "definition": dict(offer.definition)}
            for offer in found[start : start + size]
        ],
    }


async def used(asked: Asked, gate: Gate) -> dict[str, JSON]:
    """What was read or got."""
    entry = await use(asked.call, gate, asked.noun.way)
    return answer(entry, asked.noun)


def answer(entry: Entry, noun: Noun) -> dict[str, JSON]:
    """A finished use, as its caller sees it."""
    offer, outcome = entry.target, entry.outcome
    assert isinstance(offer, Offer) and outcome  # noqa: S101, PT018  -- it finished
    result = noun.relink(outcome.result, offer.connection.slug)
    return {**known(offer, noun), "decision_id": entry.decision_id, "result": dict(result)}


def known(offer: Offer, noun: Noun) -> dict[str, JSON]:
    """What is told of a resource or a prompt besides its definition."""
    connection = {"id": offer.connection.id, "slug": offer.connection.slug}
    return {noun.key: offer.name, "connection": connection, "target": offer.target}


def missing_upstream(refusal: Refusal) -> Refusal:
    """A resource that its server does not have is missing, not a failure."""
    if not isinstance(refusal, UpstreamRefused) or refusal.rpc_code != RESOURCE_NOT_FOUND:
        return refusal
    missing = Unknown("resource_unknown", refusal.detail)
    missing.recorded = refusal.recorded
    return missing


def positive(query: Mapping[str, str], name: str, otherwise: int) -> int:
    """A number of at least 1; raises Malformed."""
    text = query.get(name, str(otherwise))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):  # noqa: PLR2004  -- nobody turns so many pages
        raise malformed([fault(name, "must be a whole number from 1")])
    return int(text)


def page_address(asked: Asked, number: int) -> str:
    """Where another page is."""
    return f"{asked.path}?{urlencode({**asked.query, 'page': number})}"


def malformed(faults: Sequence[Mapping[str, JSON]]) -> Malformed:
    """The refusal of a query, with every fault in it."""
    first = faults[0]
    return Malformed("invalid_request", f"{first['path']}: {first['message']}", faults)
