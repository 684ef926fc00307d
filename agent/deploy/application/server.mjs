// A stand-in for your application in compose.yaml: each GET / sends one SMS through the agent and shows the answer.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const agent = process.env.SMS_AGENT_URL ?? "http://127.0.0.1:7670";
const tokenFile = process.env.SMS_AGENT_TOKEN_FILE;
const to = process.env.SMS_TO ?? "+12065550100"; // a number that nobody has

async function send(body) {
  const headers = { "Content-Type": "application/json" };
  if (tokenFile) headers.Authorization = `Bearer ${(await readFile(tokenFile, "utf8")).trim()}`;
  const answer = await fetch(`${agent}/v1/messages`, { method: "POST", headers, body: JSON.stringify({ to, body }) });
  return answer.json();
}

const server = createServer(async (request, response) => {
  const answer = request.url === "/" ? send("Hello from Compose") : Promise.reject(new Error("There is only /"));
  const [status, shown] = await answer.then((sent) => [200, sent], (error) => [503, { error: error.message }]);
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(shown, null, 2) + "\n");
});
server.listen(process.env.PORT ?? 3000, () => console.log(`listening on port ${server.address().port}`));
process.on("SIGTERM", () => server.close());
