// Uses every operation of a client that openapi-generator's `typescript-fetch` generated: URL FUTURE_URL [TOKEN].
import { strict as assert } from "node:assert";
import * as sms from "./client";

const [url, future, token] = process.argv.slice(2);
const connect = (basePath: string, accessToken?: string) => new sms.Configuration({ basePath, accessToken });
const settings = connect(url, token);
const messages = new sms.MessagesApi(settings);
const agent = new sms.AgentApi(settings);

async function refused(call: Promise<unknown>): Promise<sms.Problem> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof sms.ResponseError);
    return sms.ProblemFromJSON(await error.response.json());
  }
  throw new Error("that was to be refused");
}

async function main() {
  assert.equal((await agent.getHealth()).status, "ok");
  assert.equal((await agent.getReadiness()).status, "ok");
  assert.ok(await agent.getDescription());

  const draft = { to: "+12065550100", body: "hello", type: sms.SmsType.Promotional };
  const preview = await messages.previewMessage({ draft });
  assert.deepEqual([preview.admitted, preview.segments, preview.country], [true, 1, "US"]);

  const send: sms.Send = { to: "+12065550100", body: "Your table is ready", reference: "tsf" };
  const keyed = { send, idempotencyKey: `tsf ${!!token}` };
  const sent = await messages.sendMessage(keyed);
  assert.equal(sent.status, "sent");
  assert.equal((await messages.sendMessage(keyed)).id, sent.id);
  assert.equal((await messages.getMessage({ id: sent.id })).reference, "tsf");
  const page = await messages.listMessages({ reference: "tsf", limit: 1 });
  assert.deepEqual(page.messages.map((message) => message.id), [sent.id]);
  const phone = await new sms.SimulatorApi(settings).listSimulatorMessages({ to: "+12065550100" });
  assert.equal(phone.messages[0].body, "Your table is ready");

  const batch = { messages: [send, { to: "+15005550002", body: "hello" }] };
  const [accepted, optedOut] = (await messages.sendBatch({ batch })).results;
  assert.deepEqual([accepted.status, accepted.message?.to], [202, "+12065550100"]);
  assert.deepEqual([optedOut.status, optedOut.problem?.code], [422, "opted_out"]);
  assert.ok((await new sms.NumbersApi(settings).getOptOut({ number: "+15005550002" })).optedOut);

  const refusal = await refused(messages.sendMessage({ send: { to: "+1", body: "hello" } }));
  assert.equal(refusal.code, "invalid_phone_number");
  if (token) {
    const open = new sms.MessagesApi(connect(url));
    assert.equal((await refused(open.getMessage({ id: sent.id }))).code, "unauthorized");
  }

  await messages.sendMessage({ send: { to: "+15005550008", body: "hello" }, prefer: "respond-async" });
  const queued = await messages.sendMessage({ send, prefer: "respond-async" });
  assert.equal((await messages.cancelMessage({ id: queued.id })).status, "canceled");

  const later = await new sms.MessagesApi(connect(future)).getMessage({ id: sent.id });
  assert.deepEqual([later.status, later.error?.code], ["archived", "code_to_come"]);
  console.log("used every operation");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
