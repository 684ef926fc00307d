// java Send.java TO TEXT KEY          (Java 11 or newer, nothing to install)
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;

public class Send {
    // HTTP/1.1: the default asks for an upgrade on every plain connection.
    private static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** Sends one SMS and returns the message as JSON. The key names the occasion: a repetition sends nothing again. */
    static String sendSms(String to, String body, String key) throws IOException, InterruptedException {
        String agent = System.getenv().getOrDefault("SMS_AGENT_URL", "http://127.0.0.1:7670");
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(agent + "/v1/messages"))
                .timeout(Duration.ofSeconds(15)) // longer than agent.wait
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", key)
                .POST(BodyPublishers.ofString("{\"to\":" + quoted(to) + ",\"body\":" + quoted(body) + "}"));
        String tokenFile = System.getenv("SMS_AGENT_TOKEN_FILE");
        if (tokenFile != null) {
            request.header("Authorization", "Bearer " + Files.readString(Path.of(tokenFile)).trim());
        }
        HttpResponse<String> answer;
        try {
            answer = CLIENT.send(request.build(), BodyHandlers.ofString());
        } catch (IOException error) {
            String cause = error instanceof ConnectException ? "is it running?" : String.valueOf(error.getMessage());
            throw new IOException("cannot reach the SMS agent at " + agent + ": " + cause, error);
        }
        if (answer.statusCode() >= 300) {
            throw new IOException(answer.statusCode() + " " + answer.body());
        }
        return answer.body();
    }

    /** A JSON string. The JDK has no JSON of its own: use your library's writer instead, if you have one. */
    private static String quoted(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            json.append(c < ' ' || c == '"' || c == '\\' ? String.format("\\u%04x", (int) c) : c);
        }
        return json.append('"').toString();
    }

    public static void main(String[] arguments) throws InterruptedException {
        if (arguments.length != 3) {
            System.err.println("usage: java Send.java TO TEXT KEY");
            System.exit(1);
        }
        try {
            System.out.println(sendSms(arguments[0], arguments[1], arguments[2]));
        } catch (NoSuchFileException missing) {
            System.err.println("there is no file " + missing.getFile());
            System.exit(1);
        } catch (IOException error) {
            System.err.println(error.getMessage());
            System.exit(1);
        }
    }
}
