"""Uses every operation of a client that openapi-generator's `python` generated: URL FUTURE_URL [TOKEN]."""

import sys

import openapi_client as sms
from openapi_client.exceptions import ApiException

url, future, *token = sys.argv[1:]


def connect(url, token=None):
    return sms.ApiClient(sms.Configuration(host=url, access_token=token))


client = connect(url, *token)
messages, agent = sms.MessagesApi(client), sms.AgentApi(client)

assert agent.get_health().status == "ok"
assert agent.get_readiness().status == "ok"
assert agent.get_description()["openapi"].startswith("3.1")

preview = messages.preview_message(sms.Draft(to="+12065550100", body="hello", type=sms.SmsType.PROMOTIONAL))
assert preview.admitted and preview.segments == 1 and preview.country == "US", preview

send = sms.Send(to="+12065550100", body="Your table is ready", reference="ogp")
sent = messages.send_message(send, idempotency_key=f"ogp {bool(token)}")
assert sent.status == "sent" and sent.error is None, sent
assert messages.send_message(send, idempotency_key=f"ogp {bool(token)}").id == sent.id
assert messages.get_message(sent.id).reference == "ogp"
assert [message.id for message in messages.list_messages(reference="ogp", limit=1).messages] == [sent.id]
phone = sms.SimulatorApi(client).list_simulator_messages(to="+12065550100")
assert phone.messages[0].body == "Your table is ready"

batch = sms.Batch(messages=[send, sms.Send(to="+15005550002", body="hello")])
accepted, refused = messages.send_batch(batch).results
assert accepted.status == 202 and accepted.message.to == "+12065550100"
assert refused.status == 422 and refused.problem.code == "opted_out"
assert sms.NumbersApi(client).get_opt_out("+15005550002").opted_out

try:
    messages.send_message(sms.Send(to="+15005550001", body="hello"))
    raise AssertionError("that number is refused")
except ApiException as refusal:
    assert refusal.status == 422 and refusal.data.code == "carrier_rejected", refusal
if token:
    try:
        sms.MessagesApi(connect(url)).get_message(sent.id)
        raise AssertionError("there was no token")
    except ApiException as refusal:
        assert refusal.status == 401 and refusal.data.code == "unauthorized", refusal

messages.send_message(sms.Send(to="+15005550008", body="hello"), prefer="respond-async")
queued = messages.send_message(send, prefer="respond-async")
assert messages.cancel_message(queued.id).status == "canceled"

later = sms.MessagesApi(connect(future)).get_message(sent.id)
assert later.status == "archived" and later.error.code == "code_to_come", later
print("used every operation")
