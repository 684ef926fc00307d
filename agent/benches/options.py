"""What all measurements have in common: the binary, how long, on which disk, and when to stop by themselves."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path


def parser(name, description, rounds, seconds):
    made = argparse.ArgumentParser(prog=name, description=description)
    made.add_argument("--agent", type=Path, required=True, help="the binary; without it `run` builds one with the profile dist")
    made.add_argument("--rounds", type=int, default=rounds, help=f"how many (default {rounds})")
    made.add_argument("--seconds", type=int, default=seconds, help=f"how long each load lasts (default {seconds})")
    made.add_argument("--echo-module", required=True, help=argparse.SUPPRESS)
    return made


def parse(parser):
    options = parser.parse_args()
    options.agent = options.agent.resolve()
    if not shutil.which(options.agent):
        parser.error(f"{options.agent} is not a program")
    options.busy = os.getloadavg()[0]
    return options


def bound(seconds):
    """An end of its own after that many seconds, whatever hangs, and a refusal of disks that are none."""
    folder = tempfile.gettempdir()
    kind = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=True).stdout.strip()
    if kind in ("tmpfs", "ramfs"):
        sys.exit(f"{folder} is in memory, where an fsync costs nothing: set TMPDIR to a folder on a disk")
    # It unwinds, so that what was started is ended.
    signal.signal(signal.SIGALRM, lambda *_: sys.exit("stopped: the measurement takes too long"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped by a signal"))
    signal.alarm(seconds)


def machine():
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].split(":")[1].strip() if models else "unknown processor"
    return f"{os.cpu_count()} × {model}, Linux {os.uname().release}"


def say(text):
    print(text, file=sys.stderr, flush=True)
