"""A small MCP server over pipes whose manners are chosen on the command line.

Tools: ``echo`` answers its arguments, ``self`` tells argv, environment, limits, group and folder,
``never`` does not answer, ``cancelled`` tells which requests were, ``die`` ends the process,
``child`` starts a grandchild and tells its pid, ``raw`` writes the given text as a line,
``huge`` writes a line beyond all bounds, ``ask`` sends a request of its own and answers with the
reply, ``deaf`` stops reading, ``mute`` closes the output, ``last`` answers and ends at once.
"""

import json
import os
import resource
import subprocess
import sys
import threading

ERA = sys.argv[1] if len(sys.argv) > 1 else "stateless"
CANCELLED = []
REPLIES = []


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def answer(request, **parts):
    say({"jsonrpc": "2.0", "id": request["id"], **parts})


def about_me():
    kinds = ("RLIMIT_CORE", "RLIMIT_NOFILE", "RLIMIT_FSIZE")
    return {
        "argv": sys.argv[1:],
        "env": dict(os.environ),
        "group": os.getpgid(0) == os.getpid(),
        "session": os.getsid(0) == os.getpid(),
        "cwd": os.getcwd(),
        "limits": {kind: resource.getrlimit(getattr(resource, kind))[0] for kind in kinds},
        "pid": os.getpid(),
    }


def call(request, name, arguments):
    if name == "echo":
        answer(request, result={"content": [], "structuredContent": arguments})
    elif name == "self":
        answer(request, result=about_me())
    elif name == "cancelled":
        answer(request, result={"ids": CANCELLED, "replies": REPLIES})
    elif name == "die":
        os._exit(3)
    elif name == "last":
        answer(request, result={"content": []})
        os._exit(0)
    elif name == "child":
        child = subprocess.Popen(["/bin/sleep", "600"])
        answer(request, result={"pid": child.pid})
    elif name == "raw":
        sys.stdout.write(arguments["text"].replace("$ID", str(request["id"])) + "\n")
        sys.stdout.flush()
    elif name == "huge":
        piece = "x" * 65536
        for _ in range(80):
            sys.stdout.write(piece)
        sys.stdout.write("\n" if arguments.get("ends") else "")
        sys.stdout.flush()
    elif name == "ask":
        say({"jsonrpc": "2.0", "id": "mine", "method": arguments["method"]})
        answer(request, result={})
    elif name == "mute":
        os.close(1)
    elif name == "deaf":
        answer(request, result={})
        threading.Event().wait()
    elif name == "grumble":
        sys.stderr.write("something is wrong\n" * 100)
        sys.stderr.close()
        answer(request, result={})


def serve(request):
    method = request.get("method")
    params = request.get("params", {})
    if method is None:
        REPLIES.append(request)
    elif method == "notifications/cancelled":
        CANCELLED.append(params["requestId"])
    elif method == "server/discover":
        if ERA == "fragile":
            os._exit(1)
        if ERA == "stateless":
            answer(request, result={"supportedVersions": ["2026-07-28"], "capabilities": {}})
        elif ERA != "silent":
            answer(request, error={"code": -32601, "message": "unknown method"})
    elif method == "initialize":
        info = {"name": "pipes", "version": "9"}
        result = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": info}
        answer(request, result=result)
    elif method == "tools/call":
        call(request, params["name"], params.get("arguments", {}))
    elif method == "ping":
        answer(request, result={})


for line in sys.stdin:
    serve(json.loads(line))
