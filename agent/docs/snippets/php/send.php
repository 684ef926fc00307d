<?php
// php send.php TO TEXT KEY          (PHP 8, no extension needed)
declare(strict_types=1);

/** Sends one SMS. $key names the occasion: the same call with the same key sends nothing again. */
function send_sms(string $to, string $body, string $key): array
{
    $headers = ['Content-Type: application/json', "Idempotency-Key: $key"];
    if ($file = getenv('SMS_AGENT_TOKEN_FILE')) {
        $token = @file_get_contents($file);
        if ($token === false) {
            throw new RuntimeException("cannot read the token file $file");
        }
        $headers[] = 'Authorization: Bearer ' . trim($token);
    }
    $request = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => $headers,
        'content' => json_encode(['to' => $to, 'body' => $body], JSON_THROW_ON_ERROR),
        'timeout' => 15, // longer than agent.wait
        'ignore_errors' => true, // a problem has a body too
    ]]);
    $agent = getenv('SMS_AGENT_URL') ?: 'http://127.0.0.1:7670';
    $answer = @file_get_contents("$agent/v1/messages", false, $request);
    if ($answer === false) {
        throw new RuntimeException("cannot reach the SMS agent at $agent: is it running?");
    }
    $result = json_decode($answer, true);
    if (!is_array($result)) {
        throw new RuntimeException("$agent answered without JSON: is it the SMS agent?");
    }
    if (isset($result['code'])) {
        throw new RuntimeException("{$result['code']}: {$result['detail']} {$result['hint']}");
    }
    return $result;
}

if ($argc !== 4) {
    fwrite(STDERR, 'usage: php send.php TO TEXT KEY' . PHP_EOL);
    exit(1);
}
try {
    [, $to, $text, $key] = $argv;
    $message = send_sms($to, $text, $key);
    echo $message['status'], ' ', $message['id'], PHP_EOL;
} catch (RuntimeException $error) {
    fwrite(STDERR, $error->getMessage() . PHP_EOL);
    exit(1);
}
