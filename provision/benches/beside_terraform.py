#!/usr/bin/env python3
"""sms-provision beside Terraform: the same account, on the same moto, in one run.

    provision/benches/beside_terraform.py --provision target/release/sms-provision --moto-python PYTHON [--rounds 3] [--queue]

PYTHON is one that has moto: the tests make it under `target/peers`. Terraform finds its provider as it is set up to do.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = ("cloudwatch", "iam", "logs", "sns", "sqs", "sts")


class Moto:
    def __init__(self, python):
        source = (ROOT / "config/tests/peers/moto.py").read_text()
        self.process = subprocess.Popen([python, "-u", "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.endpoint = self.process.stdout.readline().strip()

    def reset(self):
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST")).read()

    def environment(self, home):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SMS_", "OTEL_"))}
        if not os.path.exists(kept.get("TF_CLI_CONFIG_FILE", "")):
            kept.pop("TF_CLI_CONFIG_FILE", None)
        return kept | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_SHARED_CREDENTIALS_FILE": f"{home}/credentials",
        }


def measured(command, folder, environment):
    """Seconds, and the most memory of the process or one of its children, in MiB."""
    before = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = 0
    while process.poll() is None:
        peak = max(peak, resident(process.pid))
        time.sleep(0.02)
    if process.returncode:
        raise SystemExit(f"{command}: {process.stderr.read().decode()}")
    return time.monotonic() - before, peak / 1024


def resident(pid):
    """KiB of the process and all below it."""
    total = 0
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            total += resident(int(child))
    except OSError:
        pass  # it has just ended
    return total


def configuration(endpoint, queue):
    endpoints = "".join(f'    {service} = "{endpoint}"\n' for service in SERVICES)
    return f"""
provider "aws" {{
  region                      = "us-east-1"
  access_key                  = "testing"
  secret_key                  = "testing"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  endpoints {{
{endpoints}  }}
}}

module "sms" {{
  source = "{ROOT}/terraform"
  queue  = {json.dumps(queue)}
}}
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--provision", required=True)
    parser.add_argument("--moto-python", required=True)
    parser.add_argument("--plugin-dir", help="where Terraform's provider lies, for terraform init")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--queue", action="store_true")
    given = parser.parse_args()
    provision, settings = os.path.abspath(given.provision), ["--set=account.create_access_key=false"]
    settings += ["--set=account.queue=true"] if given.queue else []
    moto, results = Moto(given.moto_python), {}
    note = lambda what, of: results.setdefault(what, []).append(of)
    for _ in range(given.rounds):
        with tempfile.TemporaryDirectory() as folder:
            environment = moto.environment(folder)
            moto.reset()
            note("sms-provision apply", measured([provision, "apply", "--yes", *settings], folder, environment))
            note("sms-provision plan", measured([provision, "plan", *settings], folder, environment))
            moto.reset()
            pathlib.Path(folder, "main.tf").write_text(configuration(moto.endpoint, given.queue))
            plugins = [f"-plugin-dir={given.plugin_dir}"] if given.plugin_dir else []
            measured(["terraform", "init", "-input=false", *plugins], folder, environment)
            note("terraform apply", measured(["terraform", "apply", "-auto-approve"], folder, environment))
            note("terraform plan", measured(["terraform", "plan"], folder, environment))
    for what, runs in results.items():
        seconds, memory = (statistics.median(run[index] for run in runs) for index in (0, 1))
        print(f"{what:22} {seconds:8.2f} s {memory:8.1f} MiB")
    moto.process.stdin.close()


main()
