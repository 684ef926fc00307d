"""ministack on a free port, which it prints, with authentication as its argument says (`true`, `false`); ends when its
standard input does."""

import asyncio
import os
import socket
import sys
import threading

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
port = listener.getsockname()[1]
os.environ |= {"AUTH": sys.argv[1], "GATEWAY_PORT": str(port), "LOG_LEVEL": "ERROR"}

from hypercorn.asyncio import serve  # noqa: E402
from hypercorn.config import Config  # noqa: E402
from ministack.app import app  # noqa: E402


def end_with_input():
    sys.stdin.read()
    os._exit(0)


async def main():
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.loglevel = "ERROR"
    config.keep_alive_timeout = 75
    # Whoever connects from now on waits until it serves.
    listener.listen(128)
    print(f"http://127.0.0.1:{port}", flush=True)
    await serve(app, config)


threading.Thread(target=end_with_input, daemon=True).start()
asyncio.run(main())
