"""The programs of a measurement: the mock of SNS, the agent, wrk. Each starts in a `with` and is ended with it."""

import json
import os
import select
import shutil
import socket
import string
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
TICK = os.sysconf("SC_CLK_TCK")
# Nothing that the machine's owner has set for AWS, OpenTelemetry or the agent.
ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}


class Process:
    """A child with a folder of its own; both are gone after the `with`."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="sms-bench-"))
        self.child = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.child:
            self.child.terminate()
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
            if self.child.stdout:
                self.child.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Mock(Process):
    """nginx in the place of SNS; `instant`, `delayed` and `distant` are its URLs."""

    def __init__(self, echo_module):
        super().__init__()
        self.echo_module = echo_module

    def start(self):
        ports = dict(zip(("instant", "delayed", "distant"), free_ports(3)))
        form = string.Template((HERE / "mock-sns.nginx.conf").read_text())
        file = self.folder / "nginx.conf"
        file.write_text(form.substitute(ports, echo_module=self.echo_module))
        self.child = subprocess.Popen(
            ["nginx", "-p", str(self.folder), "-c", str(file)],
            env=ENVIRONMENT, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        self.instant, self.delayed, self.distant = (f"http://127.0.0.1:{port}" for port in ports.values())
        for port in ports.values():
            wait_for_port(self.child, port)


class Agent(Process):
    """The agent on a folder of its own, ready to serve; `ready` is how many seconds it took from the fork.

    `settings` go over its own, as the environment has them; `outbox` is a file that it finds in the place of its outbox.
    """

    def __init__(self, binary, sns=None, settings=None, outbox=None):
        super().__init__()
        self.settings = settings or {}
        self.outbox = outbox
        self.binary = binary
        self.environment = ENVIRONMENT | {
            "HOME": str(self.folder),
            "SMS_AGENT__DATA_DIR": str(self.folder / "state"),
            "SMS_AGENT__LISTEN": "127.0.0.1:0",
            "SMS_AGENT__SHUTDOWN_TIMEOUT": "1s",
            "SMS_AGENT__AUTH": "token",
        }
        if sns:
            self.environment |= {
                "SMS_AGENT__CARRIER": "sns",
                "SMS_AWS__ENDPOINT_URL": sns,
                "SMS_AWS__REGION": "us-east-1",
                "SMS_DISPATCH__SEGMENTS_PER_SECOND": "0",
                "AWS_ACCESS_KEY_ID": "bench",
                "AWS_SECRET_ACCESS_KEY": "bench",
            }

    def start(self):
        if self.outbox:
            self.database.parent.mkdir(exist_ok=True)
            shutil.copyfile(self.outbox, self.database)
            self.outbox = None
        begun = time.perf_counter()
        self.child = subprocess.Popen(
            [self.binary], env=self.environment | self.settings, cwd=self.folder, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )
        if not select.select([self.child.stdout], [], [], 10)[0]:
            raise RuntimeError("the agent is not ready after ten seconds")
        line = self.child.stdout.readline()
        self.ready = time.perf_counter() - begun
        if " listening on " not in line:
            raise RuntimeError("the agent does not start; run it by hand to see why")
        self.url = line.split()[-1] + "/v1/messages"
        self.token = (self.folder / "state" / "token").read_text().strip()

    @property
    def database(self):
        return self.folder / "state" / "outbox.db"

    def restart(self, settings=None):
        self.settings = self.settings | (settings or {})
        self.child.terminate()
        self.child.wait(10)
        self.child.stdout.close()
        self.start()

    def cpu(self):
        """Seconds of processor time since its start."""
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self):
        """MiB by the kernel's names: VmRSS, RssAnon, RssFile, VmHWM."""
        lines = Path(f"/proc/{self.child.pid}/status").read_text().splitlines()
        pairs = (line.split(":") for line in lines)
        return {name: int(value.split()[0]) / 1024 for name, value in pairs if name.startswith(("Vm", "Rss"))}

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))

    def post(self, **headers):
        body = json.dumps({"to": "+12065550100", "body": "Your code is 123456"}).encode()
        return self.call(urllib.request.Request(self.url, body, {"Content-Type": "application/json"} | headers))

    def get(self, message):
        separator = "" if message.startswith("?") else "/"
        return self.call(urllib.request.Request(f"{self.url}{separator}{message}"))[1]

    def waiting(self):
        """Whether a message has not come to its end."""
        pages = (self.get(f"?status={status}&limit=1") for status in ("queued", "sending"))
        return any(page["messages"] for page in pages)

    def call(self, request):
        request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)


def load(url, kind, connections, seconds, token=""):
    """One run of wrk: the object that `load.lua` writes, with `rate` beside it."""
    run = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(HERE / "load.lua"), url],
        env=ENVIRONMENT | {"LOAD": kind, "TOKEN": token},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds + 30, check=True,
    )
    found = json.loads(run.stdout.splitlines()[-1])
    if found["refused"] or found["broken"]:
        raise RuntimeError(f"{kind}: {found['refused']} answers were not 2xx, {found['broken']} did not come")
    return found | {"rate": found["answers"] / found["seconds"]}


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [held_one.getsockname()[1] for held_one in held]
    for held_one in held:
        held_one.close()
    return ports


def wait_for_port(child, port):
    for _ in range(100):
        if child.poll() is not None:
            raise RuntimeError("nginx does not start; run it by hand to see why")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("nginx does not listen after five seconds")
