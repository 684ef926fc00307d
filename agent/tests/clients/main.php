<?php
// Uses every operation of a client that openapi-generator's `php` generated: URL FUTURE_URL [TOKEN].

use GuzzleHttp\Client;
use OpenAPI\Client\Api\{AgentApi, MessagesApi, NumbersApi, SimulatorApi};
use OpenAPI\Client\{ApiException, Configuration};
use OpenAPI\Client\Model\{Batch, Draft, Problem, Send, SmsType};

require '/usr/share/php/GuzzleHttp/autoload.php';
spl_autoload_register(function (string $class): void {
    $file = __DIR__ . '/client/lib/' . str_replace('\\', '/', substr($class, strlen('OpenAPI\\Client\\'))) . '.php';
    if (str_starts_with($class, 'OpenAPI\\Client\\') && is_file($file)) {
        require $file;
    }
});

function must(bool $holds, mixed $what): void
{
    if (!$holds) {
        throw new Exception(print_r($what, true));
    }
}

function problem(callable $call): Problem
{
    try {
        $call();
    } catch (ApiException $refusal) {
        return $refusal->getResponseObject();
    }
    throw new Exception('that was to be refused');
}

[, $url, $future] = $argv;
$token = $argv[3] ?? null;
$connect = fn (string $url, ?string $token) =>
    (new Configuration())->setHost($url)->setAccessToken($token ?? '');
$http = new Client();
$settings = $connect($url, $token);
$messages = new MessagesApi($http, $settings);
$agent = new AgentApi($http, $settings);

must($agent->getHealth()->getStatus() === 'ok', 'health');
must($agent->getReadiness()->getStatus() === 'ok', 'readiness');
must((bool) $agent->getDescription(), 'description');

$draft = new Draft(['to' => '+12065550100', 'body' => 'hello', 'type' => SmsType::PROMOTIONAL]);
$preview = $messages->previewMessage($draft);
must($preview->getAdmitted() && $preview->getSegments() === 1 && $preview->getCountry() === 'US', $preview);

$send = new Send(['to' => '+12065550100', 'body' => 'Your table is ready', 'reference' => 'php']);
$key = 'php ' . ($token ? 'token' : 'open');
$sent = $messages->sendMessage($send, null, $key);
must($sent->getStatus() === 'sent', $sent);
must($messages->sendMessage($send, null, $key)->getId() === $sent->getId(), 'again');
must($messages->getMessage($sent->getId())->getReference() === 'php', 'get');
$page = $messages->listMessages(null, null, 'php', 1);
must($page->getMessages()[0]->getId() === $sent->getId(), $page);
$phone = (new SimulatorApi($http, $settings))->listSimulatorMessages('+12065550100');
must($phone->getMessages()[0]->getBody() === 'Your table is ready', $phone);

$batch = new Batch(['messages' => [$send, new Send(['to' => '+15005550002', 'body' => 'hello'])]]);
[$accepted, $refused] = $messages->sendBatch($batch)->getResults();
must($accepted->getStatus() === 202 && $accepted->getMessage()->getTo() === '+12065550100', $accepted);
must($refused->getStatus() === 422 && $refused->getProblem()->getCode() === 'opted_out', $refused);
must((new NumbersApi($http, $settings))->getOptOut('+15005550002')->getOptedOut(), 'opt-out');

$refusal = problem(fn () => $messages->sendMessage(new Send(['to' => '+15005550001', 'body' => 'hello'])));
must($refusal->getCode() === 'carrier_rejected', $refusal);
if ($token) {
    $open = new MessagesApi($http, $connect($url, null));
    must(problem(fn () => $open->getMessage($sent->getId()))->getCode() === 'unauthorized', 'no token');
}

$messages->sendMessage(new Send(['to' => '+15005550008', 'body' => 'hello']), 'respond-async');
$queued = $messages->sendMessage($send, 'respond-async');
must($messages->cancelMessage($queued->getId())->getStatus() === 'canceled', 'cancel');

$later = (new MessagesApi($http, $connect($future, null)))->getMessage($sent->getId());
must($later->getStatus() === 'archived' && $later->getError()->getCode() === 'code_to_come', $later);
echo "used every operation\n";
