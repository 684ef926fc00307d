"""python3 send.py TO TEXT KEY          (Python 3.8 or newer, nothing to install)"""

import json
import os
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

AGENT = os.environ.get("SMS_AGENT_URL") or "http://127.0.0.1:7670"
TOKEN_FILE = os.environ.get("SMS_AGENT_TOKEN_FILE")
DIRECT = build_opener(ProxyHandler({}))  # the agent is a neighbour: no proxy stands between


def send_sms(to, body, key):
    """Sends one SMS. `key` names the occasion: the same call with the same key sends nothing again."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    if TOKEN_FILE:
        headers["Authorization"] = "Bearer " + Path(TOKEN_FILE).read_text().strip()
    request = Request(f"{AGENT}/v1/messages", json.dumps({"to": to, "body": body}).encode(), headers)
    try:
        with DIRECT.open(request, timeout=15) as answer:  # longer than agent.wait
            return json.load(answer)
    except HTTPError as refused:
        problem = json.load(refused)
        raise RuntimeError(f"{problem['code']}: {problem['detail']} {problem['hint']}") from None
    except OSError as error:
        raise RuntimeError(f"cannot reach the SMS agent at {AGENT}: {error}") from None


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: python3 send.py TO TEXT KEY")
    try:
        message = send_sms(*sys.argv[1:])
        print(message["status"], message["id"])
    except json.JSONDecodeError:
        sys.exit(f"{AGENT} did not answer with JSON: is it the SMS agent?")
    except (RuntimeError, OSError) as error:
        sys.exit(str(error))
