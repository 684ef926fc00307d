"""Uses every operation of a client that openapi-python-client generated: URL FUTURE_URL [TOKEN]."""

import sys

from sms_agent_client import AuthenticatedClient, Client
from sms_agent_client.api.agent import get_description, get_health, get_readiness
from sms_agent_client.api.messages import (
    cancel_message,
    get_message,
    list_messages,
    preview_message,
    send_batch,
    send_message,
)
from sms_agent_client.api.numbers import get_opt_out
from sms_agent_client.api.simulator import list_simulator_messages
from sms_agent_client.models import Batch, Draft, Problem, Send, SmsType

url, future, *token = sys.argv[1:]
agent = AuthenticatedClient(base_url=url, token=token[0]) if token else Client(base_url=url)

assert get_health.sync(client=agent).status == "ok"
assert get_readiness.sync(client=agent).status == "ok"
assert get_description.sync(client=agent)["openapi"].startswith("3.1")

preview = preview_message.sync(client=agent, body=Draft(to="+12065550100", body="hello", type_=SmsType.PROMOTIONAL))
assert preview.admitted and preview.segments == 1 and preview.country == "US", preview
assert not preview_message.sync(client=agent, body=Draft(to="+1", body="hello")).admitted

send = Send(to="+12065550100", body="Your table is ready", reference="opc")
sent = send_message.sync(client=agent, body=send, idempotency_key=f"opc {bool(token)}")
assert sent.status == "sent" and sent.error is None, sent
again = send_message.sync(client=agent, body=send, idempotency_key=f"opc {bool(token)}")
assert again.id == sent.id
assert get_message.sync(sent.id, client=agent).reference == "opc"
page = list_messages.sync(client=agent, reference="opc", limit=1)
assert [message.id for message in page.messages] == [sent.id]
phone = list_simulator_messages.sync(client=agent, to="+12065550100")
assert phone.messages[0].body == "Your table is ready"

batch = Batch(messages=[send, Send(to="+15005550002", body="hello")])
accepted, refused = send_batch.sync(client=agent, body=batch).results
assert accepted.status == 202 and accepted.message.to == "+12065550100"
assert refused.status == 422 and refused.problem.code == "opted_out"
assert get_opt_out.sync("+15005550002", client=agent).opted_out

refusal = send_message.sync(client=agent, body=Send(to="+1", body="hello"))
assert isinstance(refusal, Problem) and refusal.code == "invalid_phone_number" and not refusal.retryable
if token:
    assert get_message.sync(sent.id, client=Client(base_url=url)).code == "unauthorized"

send_message.sync(client=agent, body=Send(to="+15005550008", body="hello"), prefer="respond-async")
queued = send_message.sync(client=agent, body=send, prefer="respond-async")
assert cancel_message.sync(queued.id, client=agent).status == "canceled"

later = get_message.sync(sent.id, client=Client(base_url=future))
assert later.status == "archived" and later.error.code == "code_to_come", later
print("used every operation")
