// node send.mjs TO TEXT KEY          (Node 18 or newer, nothing to install)
import { readFile } from "node:fs/promises";

const agent = process.env.SMS_AGENT_URL || "http://127.0.0.1:7670";
const tokenFile = process.env.SMS_AGENT_TOKEN_FILE;

/** Sends one SMS. `key` names the occasion: the same call with the same key sends nothing again. */
async function sendSms(to, body, key) {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  if (tokenFile) headers.Authorization = `Bearer ${(await readFile(tokenFile, "utf8")).trim()}`;
  const answer = await fetch(`${agent}/v1/messages`, {
    method: "POST",
    headers,
    body: JSON.stringify({ to, body }),
    signal: AbortSignal.timeout(15_000), // longer than agent.wait
  }).catch((error) => {
    throw new Error(`cannot reach the SMS agent at ${agent}: ${error.cause?.code ?? error.message}`);
  });
  const result = await answer.json().catch(() => {
    throw new Error(`${agent} answered ${answer.status} without JSON: is it the SMS agent?`);
  });
  if (!answer.ok) throw new Error(`${result.code}: ${result.detail} ${result.hint}`);
  return result;
}

const [to, text, key] = process.argv.slice(2);
if (key) {
  try {
    const message = await sendSms(to, text, key);
    console.log(message.status, message.id);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
} else {
  console.error("usage: node send.mjs TO TEXT KEY");
  process.exitCode = 1;
}
