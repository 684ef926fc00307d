// node send.mjs TO TEXT KEY          (Node 18 or newer, nothing to install)
import { readFile } from "node:fs/promises";

const agent = process.env.SMS_AGENT_URL ?? "http://127.0.0.1:7670";
const tokenFile = process.env.SMS_AGENT_TOKEN_FILE;

/** Sends one SMS; `key` names its occasion, so that the same call again sends nothing again. */
async function sendSms(to, body, key) {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  if (tokenFile) headers.Authorization = `Bearer ${(await readFile(tokenFile, "utf8")).trim()}`;
  const answer = await fetch(`${agent}/v1/messages`, {
    method: "POST",
    headers,
    body: JSON.stringify({ to, body }),
    signal: AbortSignal.timeout(15_000), // longer than agent.wait
  });
  const result = await answer.json();
  if (!answer.ok) throw new Error(`${result.code}: ${result.detail} ${result.hint}`);
  return result;
}

try {
  const [to, text, key] = process.argv.slice(2);
  const message = await sendSms(to, text, key);
  console.log(message.status, message.id);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
