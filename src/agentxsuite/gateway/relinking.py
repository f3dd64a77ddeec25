"""URIs in what servers answer, as the environment address has them: ``<slug>+<original>``. Pure.

Only where MCP says that a URI names a resource; what is not changed is handed on as it came.
"""

from collections.abc import Mapping

from agentxsuite.gateway.naming import qualified
from agentxsuite.wire import JSON

LINK, EMBEDDED = "resource_link", "resource"  # types of content


def of_call(result: Mapping[str, JSON], slug: str) -> Mapping[str, JSON]:
    """A tool's result: links and embedded resources in its content."""
    content = result.get("content")
    if not isinstance(content, list) or not any(map(has_uri, content)):
        return result
    return {**result, "content": [of_block(block, slug) for block in content]}


def of_prompt(result: Mapping[str, JSON], slug: str) -> Mapping[str, JSON]:
    """A prompt: links and embedded resources in its messages."""
    messages = result.get("messages")
    if not isinstance(messages, list):
        return result
    return {**result, "messages": [of_message(message, slug) for message in messages]}


def of_reading(result: Mapping[str, JSON], slug: str) -> Mapping[str, JSON]:
    """What was read: each of its contents has a URI."""
    contents = result.get("contents")
    if not isinstance(contents, list):
        return result
    return {**result, "contents": [of_item(item, slug) for item in contents]}


def of_message(message: JSON, slug: str) -> JSON:
    """One message of a prompt."""
    if not isinstance(message, dict):
        return message
    content = message.get("content")
    if isinstance(content, list):
        return {**message, "content": [of_block(block, slug) for block in content]}
    return {**message, "content": of_block(content, slug)} if has_uri(content) else message


def has_uri(block: JSON) -> bool:
    """Whether a block of content names a resource."""
    return isinstance(block, dict) and block.get("type") in (LINK, EMBEDDED)


def of_block(block: JSON, slug: str) -> JSON:
    """One block of content."""
    if not has_uri(block):
        return block
    if block["type"] == LINK:
        return of_item(block, slug)
    return {**block, "resource": of_item(block.get("resource"), slug)}


def of_item(item: JSON, slug: str) -> JSON:
    """Something that has a URI, or nothing of the kind."""
    if not isinstance(item, dict) or not isinstance(item.get("uri"), str):
        return item
    return {**item, "uri": qualified(slug, item["uri"])}
