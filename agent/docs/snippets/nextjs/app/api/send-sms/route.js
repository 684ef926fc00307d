// POST /api/send-sms {"phoneNumber", "message"}, for the App Router. Runs on the server only: the agent is its neighbour.
import { readFile } from "node:fs/promises";

const agent = process.env.SMS_AGENT_URL ?? "http://127.0.0.1:7670";
const tokenFile = process.env.SMS_AGENT_TOKEN_FILE;

export async function POST(request) {
  const { phoneNumber, message } = await request.json();
  const headers = { "Content-Type": "application/json" };
  if (tokenFile) headers.Authorization = `Bearer ${(await readFile(tokenFile, "utf8")).trim()}`;
  const answer = await fetch(`${agent}/v1/messages`, {
    method: "POST",
    headers,
    body: JSON.stringify({ to: phoneNumber, body: message }),
    cache: "no-store",
  });
  const result = await answer.json();
  if (answer.ok) return Response.json({ success: true, id: result.id, messageId: result.message_id });
  return Response.json({ success: false, error: result.code, message: result.hint }, { status: answer.status });
}
