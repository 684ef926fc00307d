// Uses every operation of a client that orval generated: URL FUTURE_URL [TOKEN]. Its URLs are relative.
import { strict as assert } from "node:assert";
import * as sms from "./sms";

const [url, future, token] = process.argv.slice(2);
const real = globalThis.fetch;
let base = url;
globalThis.fetch = (path, options) => real(new URL(String(path), base), options);
const auth: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
const options = { headers: auth };

function ok<T extends { status: number; data: unknown }>(answer: T): Extract<T, { status: 200 | 202 }>["data"] {
  assert.ok(answer.status < 300, JSON.stringify(answer.data));
  return answer.data as Extract<T, { status: 200 | 202 }>["data"];
}

async function main() {
  assert.equal(ok(await sms.getHealth()).status, "ok");
  assert.equal(ok(await sms.getReadiness(options)).status, "ok");
  assert.ok(ok(await sms.getDescription()));

  const preview = ok(await sms.previewMessage({ to: "+12065550100", body: "hello", type: "promotional" }, options));
  assert.deepEqual([preview.admitted, preview.segments, preview.country], [true, 1, "US"]);

  const send: sms.Send = { to: "+12065550100", body: "Your table is ready", reference: "orval" };
  const keyed = { headers: { ...auth, "Idempotency-Key": `orval ${!!token}` } };
  const sent = ok(await sms.sendMessage(send, keyed));
  assert.equal(sent.status, "sent");
  assert.equal(ok(await sms.sendMessage(send, keyed)).id, sent.id);
  assert.equal(ok(await sms.getMessage(sent.id, options)).reference, "orval");
  const page = ok(await sms.listMessages({ reference: "orval", limit: 1 }, options));
  assert.deepEqual(page.messages.map((message) => message.id), [sent.id]);
  const phone = ok(await sms.listSimulatorMessages({ to: "+12065550100" }, options));
  assert.equal(phone.messages[0].body, "Your table is ready");

  const [accepted, refused] = ok(
    await sms.sendBatch({ messages: [send, { to: "+15005550002", body: "hello" }] }, options),
  ).results;
  assert.deepEqual([accepted.status, accepted.message?.to], [202, "+12065550100"]);
  assert.deepEqual([refused.status, refused.problem?.code], [422, "opted_out"]);
  assert.ok(ok(await sms.getOptOut("+15005550002", options)).opted_out);

  const refusal = await sms.sendMessage({ to: "+1", body: "hello" }, options);
  assert.equal(refusal.status === 400 && refusal.data.code, "invalid_phone_number");
  if (token) {
    const open = await sms.getMessage(sent.id);
    assert.equal(open.status === 401 && open.data.code, "unauthorized");
  }

  const later = { headers: { ...auth, Prefer: "respond-async" } };
  await sms.sendMessage({ to: "+15005550008", body: "hello" }, later);
  const queued = ok(await sms.sendMessage(send, later));
  assert.equal(ok(await sms.cancelMessage(queued.id, options)).status, "canceled");

  base = future;
  const archived = ok(await sms.getMessage(sent.id));
  assert.deepEqual([archived.status as string, archived.error?.code], ["archived", "code_to_come"]);
  console.log("used every operation");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
