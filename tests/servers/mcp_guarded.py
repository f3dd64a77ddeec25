"""A program: an MCP server behind OAuth, and the authorization server that lends access to it.

Machines get tokens by client credentials, people by a code with PKCE; `/authorize` believes
whoever says `as=` to be that person. Both documents of discovery are there. `/log` tells what the
token endpoint was asked, `/shown` what came to the MCP server, `/forget` makes every access token
worthless, `/settings` changes how long they last and what is said about the issuer, `/describe`
what is said about the tool.
"""

import asyncio
import base64
import hashlib
import secrets
import socket
import sys
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote_plus, urlencode

import uvicorn
from mcp.server.mcpserver import MCPServer
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

SECRETS = {"machine": "machine's secret", "people": "people's secret", "public": ""}
server = MCPServer("guarded")
whose: ContextVar[str] = ContextVar("whose")
lent: dict[str, str] = {}  # access token: whose
refreshing: dict[str, str] = {}  # refresh token: whose
codes: dict[str, dict[str, str]] = {}
asked: list[dict[str, str]] = []
shown: list[list[str]] = []
DEFAULT: dict[str, Any] = {
    "lasts": 3600,
    "iss": None,
    "says_iss": True,
    "proof": "S256",
    "page": "",
    "issuer": "as",
}
settings = dict(DEFAULT)


@server.tool()
async def whoami() -> str:
    """Whose account the caller's token is of."""
    return whose.get()


def origin(request: Request) -> str:
    return f"http://{request.url.netloc}"


@server.custom_route("/.well-known/oauth-protected-resource/mcp", methods=["GET"])
async def resource(request: Request) -> Response:
    here = origin(request)
    return JSONResponse(
        {"resource": f"{here}/mcp", "authorization_servers": [f"{here}/{settings['issuer']}"]}
    )


@server.custom_route("/.well-known/oauth-authorization-server/{name}", methods=["GET"])
async def metadata(request: Request) -> Response:
    here = f"{origin(request)}/as"
    return JSONResponse(
        {
            "issuer": f"{origin(request)}/{request.path_params['name']}",
            "token_endpoint": f"{here}/token",
            "authorization_endpoint": settings["page"] or f"{here}/authorize",
            "code_challenge_methods_supported": [settings["proof"]],
            "authorization_response_iss_parameter_supported": settings["says_iss"],
        }
    )


@server.custom_route("/as/authorize", methods=["GET"])
async def authorize(request: Request) -> Response:
    query = dict(request.query_params)
    back = {"state": query["state"], "iss": settings["iss"] or f"{origin(request)}/as"}
    if query.get("as") == "nobody":
        return RedirectResponse(
            f"{query['redirect_uri']}?{urlencode(back | {'error': 'access_denied'})}"
        )
    code = secrets.token_urlsafe(16)
    codes[code] = query
    return RedirectResponse(f"{query['redirect_uri']}?{urlencode(back | {'code': code})}")


@server.custom_route("/as/token", methods=["POST"])
async def token(request: Request) -> Response:
    form = {name: str(value) for name, value in (await request.form()).items()}
    client = credentials(request, form)
    asked.append({**form, "client": client or ""})
    if client is None:
        return JSONResponse({"error": "invalid_client"}, status_code=401)
    person = whom(client, form)
    if person is None:
        return JSONResponse({"error": "invalid_grant"}, status_code=400)
    access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    lent[access] = person
    answer = {"access_token": access, "token_type": "Bearer", "expires_in": settings["lasts"]}
    if client != "machine":
        refreshing[refresh] = person
        answer["refresh_token"] = refresh
    return JSONResponse(answer)


def credentials(request: Request, form: dict[str, str]) -> str | None:
    """The client, where its secret is right."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    name, secret = form.get("client_id", ""), form.get("client_secret", "")
    if kind == "Basic":
        name, _, secret = base64.b64decode(given).decode().partition(":")
        name, secret = unquote_plus(name), unquote_plus(secret)
    return name if SECRETS.get(name) == secret else None


def whom(client: str, form: dict[str, str]) -> str | None:
    """Who lends access by a grant."""
    if form["grant_type"] == "client_credentials":
        return client
    if form["grant_type"] == "refresh_token":
        return refreshing.pop(form["refresh_token"], None)  # each is good once
    query = codes.pop(form["code"], None)
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    right = query and query["code_challenge"] == challenge
    return query.get("as", "somebody") if query and right else None


@server.custom_route("/log", methods=["GET"])
async def log(request: Request) -> Response:
    return JSONResponse(asked)


@server.custom_route("/forget", methods=["GET"])
async def forget(request: Request) -> Response:
    lent.clear()
    if request.query_params.get("refresh"):
        refreshing.clear()
    return JSONResponse({})


@server.custom_route("/settings", methods=["GET"])
async def change(request: Request) -> Response:
    given = dict(request.query_params)
    settings.update(DEFAULT)
    settings.update({**given, **({"lasts": int(given["lasts"])} if "lasts" in given else {})})
    return JSONResponse({})


@server.custom_route("/shown", methods=["GET"])
async def what_was_shown(request: Request) -> Response:
    return JSONResponse(shown)


@server.custom_route("/describe", methods=["GET"])
async def describe(request: Request) -> Response:
    server.remove_tool("whoami")
    server.add_tool(whoami, description=request.query_params.get("as"))
    return JSONResponse({})


def application() -> Any:
    """The ASGI application: whoever shows no token that was lent is refused."""
    app = server.streamable_http_app(json_response=True, stateless_http=True)

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/mcp":
            lines = [[name.decode(), value.decode()] for name, value in scope["headers"]]
            shown.extend(lines)
            person = lent.get(dict(lines).get("authorization", "").removeprefix("Bearer "))
            if person is None:
                await Response(status_code=401)(scope, receive, send)
                return
            whose.set(person)
        await app(scope, receive, send)

    return guarded


def main() -> None:
    """Serve on an inherited socket until told to stop."""
    config = uvicorn.Config(application(), log_level="warning", timeout_graceful_shutdown=1)
    listening = socket.socket(fileno=int(sys.argv[1]))
    asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


if __name__ == "__main__":
    main()
