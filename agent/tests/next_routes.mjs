// Calls both Next.js routes as Next.js does, without it, in the folder of the snippets:
//   node next_routes.mjs works TEXT        with an agent that sends
//   node next_routes.mjs unavailable       with an agent that is down, or that refuses the token
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

const [state, text] = process.argv.slice(2);
// The files are ES modules only inside a Next.js project; here their names do not say so.
const load = async (path) => import("data:text/javascript," + encodeURIComponent(await readFile(path, "utf8")));

const { POST } = await load("nextjs/app/api/send-sms/route.js");
async function throughTheAppRouter(body) {
  const answer = await POST(new Request("http://app/api/send-sms", { method: "POST", body }));
  return { status: answer.status, body: await answer.json() };
}

const { default: handler } = await load("nextjs/pages/api/send-sms.js");
async function throughThePagesRouter(body) {
  const answer = {};
  const res = { status: (code) => ((answer.status = code), res), json: (value) => ((answer.body = value), res) };
  // Next.js parses the body by its media type: what is not JSON arrives as a string, and nothing as an empty string.
  let parsed = body;
  try {
    parsed = JSON.parse(body);
  } catch {}
  await handler({ method: "POST", body: parsed }, res);
  return answer;
}

for (const send of [throughTheAppRouter, throughThePagesRouter]) {
  const good = JSON.stringify({ phoneNumber: "+12065550100", message: text ?? "hello" });
  if (state === "works") {
    const sent = await send(good);
    assert.equal(sent.status, 200);
    assert.equal(sent.body.success, true);
    assert.ok(sent.body.messageId);

    for (const bad of ['{"phoneNumber":"(206) 555-0100","message":"hello"}', "no JSON", "", "null", "7"]) {
      const refused = await send(bad);
      assert.deepEqual([refused.status, refused.body.error], [400, "invalid_phone_number"], bad);
    }
    const optedOut = await send('{"phoneNumber":"+15005550002","message":"hello"}');
    assert.deepEqual([optedOut.status, optedOut.body.error], [422, "opted_out"]);
  }
  // What is for operators stays on the server: SNS refuses the credentials here, or there is no agent.
  const number = state === "works" ? "+15005550005" : "+12065550100";
  const apology = await send(JSON.stringify({ phoneNumber: number, message: "hello" }));
  assert.equal(apology.status, 503);
  assert.deepEqual(Object.keys(apology.body), ["success", "error", "message"]);
  assert.equal(apology.body.message, "The message cannot be sent now. Try again later.");
}
