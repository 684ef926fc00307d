// Calls both Next.js routes as Next.js does, without it: node next_routes.mjs TEXT, in the folder of the snippets.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

const [text] = process.argv.slice(2);
// The files are ES modules only inside a Next.js project; here their names do not say so.
const load = async (path) => import("data:text/javascript," + encodeURIComponent(await readFile(path, "utf8")));

const { POST } = await load("nextjs/app/api/send-sms/route.js");
async function throughTheAppRouter(body) {
  const answer = await POST(new Request("http://app/api/send-sms", { method: "POST", body: JSON.stringify(body) }));
  return { status: answer.status, body: await answer.json() };
}

const { default: handler } = await load("nextjs/pages/api/send-sms.js");
async function throughThePagesRouter(body) {
  const answer = {};
  const res = { status: (code) => ((answer.status = code), res), json: (value) => ((answer.body = value), res) };
  await handler({ method: "POST", body }, res);
  return answer;
}

for (const send of [throughTheAppRouter, throughThePagesRouter]) {
  const sent = await send({ phoneNumber: "+12065550100", message: text });
  assert.equal(sent.status, 200);
  assert.equal(sent.body.success, true);
  assert.ok(sent.body.messageId);

  const refused = await send({ phoneNumber: "(206) 555-0100", message: text });
  assert.equal(refused.status, 400);
  assert.equal(refused.body.error, "invalid_phone_number");
}
