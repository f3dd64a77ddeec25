"""A program: a small MCP server over pipes, with manners chosen on its command line.

The first argument is its era: ``stateless``, ``handshake``, ``silent`` (ignores what it does not
know), ``fragile`` (ends itself over it), ``deaf`` (nobody can listen to it) or ``brief`` (ends
every listen at once). Every tool is a function below.
"""

import json
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

ERA = sys.argv[1] if len(sys.argv) > 1 else "stateless"
CAPABILITIES = {"tools": {"listChanged": True}}
CANCELLED = []
REPLIES = []
LISTENS = []


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def answer(request, **parts):
    say({"jsonrpc": "2.0", "id": request["id"], **parts})


def echo(request, arguments):
    answer(request, result={"content": [], "structuredContent": arguments})


def about(request, arguments):
    kinds = ("RLIMIT_CORE", "RLIMIT_NOFILE", "RLIMIT_FSIZE")
    told = {
        "argv": sys.argv[1:],
        "env": dict(os.environ),
        "group": os.getpgid(0) == os.getpid(),
        "session": os.getsid(0) == os.getpid(),
        "cwd": str(Path.cwd()),
        "files": sorted(int(file.name) for file in Path("/proc/self/fd").iterdir()),
        "limits": {kind: resource.getrlimit(getattr(resource, kind))[0] for kind in kinds},
        "pid": os.getpid(),
    }
    answer(request, result=told)


def heard(request, arguments):
    told = {"cancelled": CANCELLED, "replies": REPLIES, "listens": LISTENS}
    answer(request, result=told)


def never(request, arguments):
    pass


def die(request, arguments):
    os._exit(3)


def last(request, arguments):
    answer(request, result={"content": []})
    os._exit(0)


def child(request, arguments):
    answer(request, result={"pid": subprocess.Popen(["/bin/sleep", "600"]).pid})


def raw(request, arguments):
    sys.stdout.write(arguments["text"].replace("$ID", str(request["id"])) + "\n")
    sys.stdout.flush()


def huge(request, arguments):
    for _ in range(80):
        sys.stdout.write("x" * 65536)
    sys.stdout.flush()


def ask(request, arguments):
    say({"jsonrpc": "2.0", "id": "mine", "method": arguments["method"]})
    answer(request, result={})


def mute(request, arguments):
    os.close(1)


def deaf(request, arguments):
    answer(request, result={})
    threading.Event().wait()


def grumble(request, arguments):
    sys.stderr.write("something is wrong\n" * 100)
    sys.stderr.close()
    answer(request, result={})


TOOLS = {
    function.__name__: function
    for function in (
        *(echo, about, heard, never, die, last, child),
        *(raw, huge, ask, mute, deaf, grumble),
    )
}


def discover(request):
    if ERA == "fragile":
        os._exit(1)
    if ERA in ("stateless", "deaf", "brief"):
        answer(request, result={"supportedVersions": ["2026-07-28"], "capabilities": CAPABILITIES})
    elif ERA != "silent":
        answer(request, error={"code": -32601, "message": "unknown method"})


def initialize(request):
    info = {"name": "pipes", "version": "9"}
    result = {"protocolVersion": "2025-11-25", "capabilities": CAPABILITIES, "serverInfo": info}
    answer(request, result=result)


def listen(request):
    LISTENS.append(request["id"])
    if ERA == "deaf":
        answer(request, error={"code": -32601, "message": "unknown method"})
    if ERA == "brief":
        answer(request, result={})


def never_mind(notification):
    pass


METHODS = {
    None: REPLIES.append,
    "notifications/initialized": never_mind,
    "notifications/cancelled": lambda note: CANCELLED.append(note["params"]["requestId"]),
    "server/discover": discover,
    "initialize": initialize,
    "subscriptions/listen": listen,
    "ping": lambda request: answer(request, result={}),
    "tools/call": lambda request: TOOLS[request["params"]["name"]](
        request, request["params"]["arguments"]
    ),
}

for line in sys.stdin:
    message = json.loads(line)
    METHODS[message.get("method")](message)
