"""moto's server on a free port, which it prints; ends when its standard input does.

CloudWatch's SDK speaks CBOR (Smithy's rpc-v2-cbor), which moto does not: it gets the same call as JSON 1.0. Terraform
asks for a user's service-specific credentials before it deletes the user; moto has none, and would not say so. A user that
has keys is not deleted, as in AWS. What was called is told at /called.
"""

import datetime
import io
import json
import logging
import os
import sys
from urllib.parse import parse_qs

import cbor2
from moto.core.responses import ActionResult
from moto.iam.access_control import IAMRequest
from moto.iam.exceptions import DeleteConflictException
from moto.iam.models import IAMBackend
from moto.iam.responses import IamResponse
from moto.moto_server import threaded_moto_server

CBOR = "/service/GraniteServiceVersion20100801/operation/"
# CBOR tells moments and fractions from whole numbers, JSON does not.
MOMENTS = {
    "AlarmConfigurationUpdatedTimestamp",
    "LastModified",
    "StateTransitionedTimestamp",
    "StateUpdatedTimestamp",
    "Timestamp",
    "Timestamps",
}
FRACTIONS = {"Average", "Maximum", "Minimum", "SampleCount", "Sum", "Threshold", "Values"}


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


def moment(value):
    if isinstance(value, str):
        parsed = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.timezone.utc)
    return datetime.datetime.fromtimestamp(value, datetime.timezone.utc)


def typed(value, key=None):
    if isinstance(value, dict):
        return {name: typed(one, name) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [typed(one, key) for one in value]
    if key in MOMENTS:
        return moment(value)
    return float(value) if key in FRACTIONS and value is not None else value


def action(environ):
    """The name of the call in JSON or as a form, whose body can be read again."""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return target.rpartition(".")[2]
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return None
    form = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(form)
    return parse_qs(form.decode()).get("Action", [None])[0]


class Bridge:
    """Hands CBOR calls on as JSON, and everything else as it is; notes the names of the calls."""

    def __init__(self, application):
        self.application = application
        self.called = []

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == "/called":
            told = json.dumps(self.called).encode()
            start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(told)))])
            return [told]
        operation = environ["PATH_INFO"].removeprefix(CBOR)
        if operation == environ["PATH_INFO"]:
            if name := action(environ):
                self.called.append(name)
            return self.application(environ, start_response)
        self.called.append(operation)
        given = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        body = json.dumps(plain(cbor2.loads(given) if given else {})).encode()
        environ |= {
            "PATH_INFO": "/",
            "RAW_URI": "/",
            "REQUEST_URI": "/",
            "HTTP_X_AMZ_TARGET": f"GraniteServiceVersion20100801.{operation}",
            "CONTENT_TYPE": "application/x-amz-json-1.0",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        answer = {}

        def start(status, headers, exc_info=None):
            answer.update(status=status, headers=headers)

        told = b"".join(self.application(environ, start))
        try:
            content = json.loads(told or b"{}")
        except ValueError:  # some of moto's errors are XML whatever was asked
            code = told.partition(b"<Code>")[2].partition(b"</Code>")[0].decode() or "InternalFailure"
            message = told.partition(b"<Message>")[2].partition(b"</Message>")[0].decode()
            content = {"__type": code, "message": message}
        body = cbor2.dumps(typed(content), datetime_as_timestamp=True)
        kept = [(name, value) for name, value in answer["headers"] if name.lower().startswith("x-amz")]
        headers = [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor"), *kept]
        start_response(answer["status"], [*headers, ("Content-Length", str(len(body)))])
        return [body]


def delete_user(self, user_name):
    if self.get_user(user_name).access_keys:
        raise DeleteConflictException("Cannot delete entity, must delete access keys first.")
    return deleted(self, user_name)


deleted = IAMBackend.delete_user
IAMBackend.delete_user = delete_user
IamResponse.list_service_specific_credentials = lambda self: ActionResult({"ServiceSpecificCredentials": []})
# What was signed is the CBOR. Whether it may be asked for is looked at all the same.
signed = IAMRequest.check_signature
IAMRequest.check_signature = lambda self: None if "Granite" in self._headers.get("X-Amz-Target", "") else signed(self)
dispatcher = threaded_moto_server.DomainDispatcherApplication
threaded_moto_server.DomainDispatcherApplication = lambda app: Bridge(dispatcher(app))
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = threaded_moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
print(f"http://{host}:{port}")

sys.stdin.read()
os._exit(0)
