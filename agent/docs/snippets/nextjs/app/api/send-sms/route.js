// POST /api/send-sms {"phoneNumber", "message"}, for the App Router. Runs on the server only: the agent is its neighbour.
const agent = process.env.SMS_AGENT_URL ?? "http://127.0.0.1:7670";

export async function POST(request) {
  const { phoneNumber, message } = await request.json();
  const answer = await fetch(`${agent}/v1/messages`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ to: phoneNumber, body: message }),
    cache: "no-store",
  });
  const result = await answer.json();
  if (answer.ok) return Response.json({ success: true, id: result.id, messageId: result.message_id });
  return Response.json({ success: false, error: result.code, message: result.hint }, { status: answer.status });
}
