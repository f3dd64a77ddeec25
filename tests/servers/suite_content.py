"""What the conformance suite expects a server to offer, as the protocol's own JSON."""

import base64
import struct
import zlib
from typing import Any

JSON = dict[str, Any]


def _chunk(kind: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def _png() -> str:
    """Return one red pixel."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    pixel = _chunk(b"IDAT", zlib.compress(b"\0\xff\0\0"))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + header + pixel + _chunk(b"IEND", b"")).decode()


def _wav() -> str:
    """Return a sound of no length."""
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    body = b"WAVE" + form + b"data" + struct.pack("<I", 0)
    return base64.b64encode(b"RIFF" + struct.pack("<I", len(body)) + body).decode()


def text(words: str) -> JSON:
    """Return text content."""
    return {"type": "text", "text": words}


def embedded(uri: str, kind: str, words: str) -> JSON:
    """Return an embedded resource."""
    return {"type": "resource", "resource": {"uri": uri, "mimeType": kind, "text": words}}


PNG, WAV = _png(), _wav()
IMAGE = {"type": "image", "data": PNG, "mimeType": "image/png"}
AUDIO = {"type": "audio", "data": WAV, "mimeType": "audio/wav"}

CONTENT: dict[str, list[JSON]] = {
    "test_simple_text": [text("This is a simple text response for testing.")],
    "test_image_content": [IMAGE],
    "test_audio_content": [AUDIO],
    "test_embedded_resource": [
        embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")
    ],
    "test_multiple_content_types": [
        text("Multiple content types test:"),
        IMAGE,
        embedded(
            "test://mixed-content-resource", "application/json", '{"test":"data","value":123}'
        ),
    ],
}

RESOURCES: list[JSON] = [
    {
        "uri": "test://static-text",
        "name": "Static text",
        "description": "A text that never changes.",
        "mimeType": "text/plain",
    },
    {
        "uri": "test://static-binary",
        "name": "Static picture",
        "description": "A picture that never changes.",
        "mimeType": "image/png",
    },
]
CONTENTS: dict[str, JSON] = {
    "test://static-text": {
        "mimeType": "text/plain",
        "text": "This is the content of the static text resource.",
    },
    "test://static-binary": {"mimeType": "image/png", "blob": PNG},
}
TEMPLATE: JSON = {
    "uriTemplate": "test://template/{id}/data",
    "name": "Templated data",
    "description": "Data for an id.",
    "mimeType": "application/json",
}


def _said(*words: JSON) -> list[JSON]:
    return [{"role": "user", "content": content} for content in words]


def prompts(given: JSON) -> dict[str, list[JSON]]:
    """Return the messages of each prompt, for the arguments given."""
    said = f"arg1='{given.get('arg1')}', arg2='{given.get('arg2')}'"
    resource = embedded(
        given.get("resourceUri", ""), "text/plain", "Embedded resource content for testing."
    )
    return {
        "test_simple_prompt": _said(text("This is a simple prompt for testing.")),
        "test_prompt_with_arguments": _said(text(f"Prompt with arguments: {said}")),
        "test_prompt_with_embedded_resource": _said(
            resource, text("Please process the embedded resource above.")
        ),
        "test_prompt_with_image": _said(IMAGE, text("Please analyze the image above.")),
    }


PROMPT_ARGUMENTS = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
    "test_input_required_result_prompt": (),
}

SCHEMA_2020: JSON = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
