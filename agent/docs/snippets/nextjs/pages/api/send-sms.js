// POST /api/send-sms {"phoneNumber", "message"}, for the Pages Router. Runs on the server only: the agent is its neighbour.
import { readFile } from "node:fs/promises";

const agent = process.env.SMS_AGENT_URL ?? "http://127.0.0.1:7670";
const tokenFile = process.env.SMS_AGENT_TOKEN_FILE;

export default async function handler(req, res) {
  if (req.method !== "POST") return res.status(405).setHeader("Allow", "POST").end();

  const headers = { "Content-Type": "application/json" };
  if (tokenFile) headers.Authorization = `Bearer ${(await readFile(tokenFile, "utf8")).trim()}`;
  const answer = await fetch(`${agent}/v1/messages`, {
    method: "POST",
    headers,
    body: JSON.stringify({ to: req.body.phoneNumber, body: req.body.message }),
  });
  const result = await answer.json();
  if (answer.ok) return res.status(200).json({ success: true, id: result.id, messageId: result.message_id });
  return res.status(answer.status).json({ success: false, error: result.code, message: result.hint });
}
