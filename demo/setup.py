"""The set-up process: makes an organization through the services, prints what it made as JSON.

It is told what to make by the environment variable DEMO_SETUP, a JSON object.
"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentxsuite.project.settings")
django.setup()

from demo.founding import found  # noqa: E402  -- models exist only after Django is set up

if __name__ == "__main__":
    json.dump(found(json.loads(os.environ["DEMO_SETUP"])), sys.stdout)
