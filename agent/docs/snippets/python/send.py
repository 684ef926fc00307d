"""python3 send.py TO TEXT KEY          (Python 3.8 or newer, nothing to install)"""

import json
import os
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

AGENT = os.environ.get("SMS_AGENT_URL", "http://127.0.0.1:7670")
TOKEN_FILE = os.environ.get("SMS_AGENT_TOKEN_FILE")


def send_sms(to, body, key):
    """Sends one SMS; `key` names its occasion, so that the same call again sends nothing again."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    if TOKEN_FILE:
        headers["Authorization"] = "Bearer " + Path(TOKEN_FILE).read_text().strip()
    request = Request(f"{AGENT}/v1/messages", json.dumps({"to": to, "body": body}).encode(), headers)
    try:
        with urlopen(request, timeout=15) as answer:  # longer than agent.wait
            return json.load(answer)
    except HTTPError as refused:
        problem = json.load(refused)
        raise RuntimeError(f"{problem['code']}: {problem['detail']} {problem['hint']}") from None


if __name__ == "__main__":
    try:
        message = send_sms(*sys.argv[1:])
        print(message["status"], message["id"])
    except RuntimeError as error:
        sys.exit(str(error))
