// POST /api/send-sms {"phoneNumber", "message"}, for the Pages Router. Runs on the server only: the agent is its neighbour.
const agent = process.env.SMS_AGENT_URL ?? "http://127.0.0.1:7670";

export default async function handler(req, res) {
  if (req.method !== "POST") return res.status(405).setHeader("Allow", "POST").end();
  const answer = await fetch(`${agent}/v1/messages`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ to: req.body.phoneNumber, body: req.body.message }),
  });
  const result = await answer.json();
  if (answer.ok) return res.status(200).json({ success: true, id: result.id, messageId: result.message_id });
  return res.status(answer.status).json({ success: false, error: result.code, message: result.hint });
}
