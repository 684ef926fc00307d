// POST /api/send-sms {"phoneNumber", "message"}, for the App Router. It runs on the server only, next to the agent.
//
// Before you publish this route, put a login and a rate limit in front of it. As it stands, every visitor can send any
// text to any number at your expense. Better still, take only the number from the visitor and write the text here.
import { readFile } from "node:fs/promises";

const agent = process.env.SMS_AGENT_URL || "http://127.0.0.1:7670";
const tokenFile = process.env.SMS_AGENT_TOKEN_FILE;

// What a visitor may read. All other problems are for you: they are in the server's log.
const forVisitors = {
  invalid_phone_number: "Enter the phone number with a plus sign and the country code, such as +12065550100.",
  invalid_body: "Enter a message of 1 to 1600 characters.",
  opted_out: "This number has opted out of our messages.",
};

export async function POST(request) {
  const { phoneNumber, message } = (await request.json().catch(() => null)) ?? {};
  try {
    const headers = { "Content-Type": "application/json" };
    if (tokenFile) headers.Authorization = `Bearer ${(await readFile(tokenFile, "utf8")).trim()}`;
    const answer = await fetch(`${agent}/v1/messages`, {
      method: "POST",
      headers,
      body: JSON.stringify({ to: phoneNumber, body: message }),
      cache: "no-store",
      signal: AbortSignal.timeout(15_000), // longer than agent.wait
    });
    const result = await answer.json();
    if (answer.ok) return Response.json({ success: true, id: result.id, messageId: result.message_id });
    if (result.code in forVisitors) {
      const refusal = { success: false, error: result.code, message: forVisitors[result.code] };
      return Response.json(refusal, { status: answer.status });
    }
    console.error(`SMS not sent: ${result.code}: ${result.detail} ${result.hint}`);
  } catch (error) {
    console.error(`SMS not sent: cannot use the SMS agent at ${agent}: ${error.cause?.code ?? error.message}`);
  }
  const apology = "The message cannot be sent now. Try again later.";
  return Response.json({ success: false, error: "unavailable", message: apology }, { status: 503 });
}
