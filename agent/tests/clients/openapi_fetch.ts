// Uses every operation through the types of openapi-typescript and openapi-fetch: URL FUTURE_URL [TOKEN].
import { strict as assert } from "node:assert";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

const [url, future, token] = process.argv.slice(2);
const headers = token ? { Authorization: `Bearer ${token}` } : undefined;
const agent = createClient<paths>({ baseUrl: url, headers });

async function main() {
  assert.equal((await agent.GET("/healthz")).data?.status, "ok");
  assert.equal((await agent.GET("/readyz")).data?.status, "ok");
  assert.ok((await agent.GET("/openapi.json")).data);

  const preview = await agent.POST("/v1/messages/preview", {
    body: { to: "+12065550100", body: "hello", type: "promotional" },
  });
  assert.deepEqual([preview.data?.admitted, preview.data?.segments, preview.data?.country], [true, 1, "US"]);

  const send: components["schemas"]["Send"] = { to: "+12065550100", body: "Your table is ready", reference: "ots" };
  const keyed = { params: { header: { "Idempotency-Key": `ots ${!!token}` } }, body: send };
  const sent = (await agent.POST("/v1/messages", keyed)).data!;
  assert.equal(sent.status, "sent");
  assert.equal((await agent.POST("/v1/messages", keyed)).data?.id, sent.id);
  const path = { id: sent.id };
  assert.equal((await agent.GET("/v1/messages/{id}", { params: { path } })).data?.reference, "ots");
  const page = await agent.GET("/v1/messages", { params: { query: { reference: "ots", limit: 1 } } });
  assert.deepEqual(page.data?.messages.map((message) => message.id), [sent.id]);
  const phone = await agent.GET("/v1/simulator/messages", { params: { query: { to: "+12065550100" } } });
  assert.equal(phone.data?.messages[0].body, "Your table is ready");

  const batch = await agent.POST("/v1/messages/batch", {
    body: { messages: [send, { to: "+15005550002", body: "hello" }] },
  });
  const [accepted, refused] = batch.data!.results;
  assert.deepEqual([accepted.status, accepted.message?.to], [202, "+12065550100"]);
  assert.deepEqual([refused.status, refused.problem?.code], [422, "opted_out"]);
  const number = "+15005550002";
  assert.ok((await agent.GET("/v1/opt-outs/{number}", { params: { path: { number } } })).data?.opted_out);

  const refusal = await agent.POST("/v1/messages", { body: { to: "+1", body: "hello" } });
  assert.equal(refusal.error?.code, "invalid_phone_number");
  if (token) {
    const open = createClient<paths>({ baseUrl: url });
    assert.equal((await open.GET("/v1/messages/{id}", { params: { path } })).error?.code, "unauthorized");
  }

  const params = { header: { Prefer: "respond-async" } };
  await agent.POST("/v1/messages", { params, body: { to: "+15005550008", body: "hello" } });
  const queued = (await agent.POST("/v1/messages", { params, body: send })).data!;
  const canceled = await agent.DELETE("/v1/messages/{id}", { params: { path: { id: queued.id } } });
  assert.equal(canceled.data?.status, "canceled");

  const later = await createClient<paths>({ baseUrl: future }).GET("/v1/messages/{id}", { params: { path } });
  assert.deepEqual([later.data?.status, later.data?.error?.code], ["archived", "code_to_come"]);
  console.log("used every operation");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
