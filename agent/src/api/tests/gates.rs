//! Every gate, and that they stand in the contract's order.

use super::*;
use crate::carrier::{Attempt, Carrier};
use crate::message::{Sender, Sms, Text};

fn code(status: u16, code: &str) -> (u16, String, Option<String>) {
    (status, code.to_owned(), None)
}

#[tokio::test]
async fn each_gate_is_passed_before_the_next_one_is_asked() {
    let house = House::with(Some("s3cret-token"), true);
    let token = "Authorization: Bearer s3cret-token\r\n";
    let ask = |method: &str, path: &str, headers: &str, body: &str| {
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: agent\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len());
        let house = &house;
        async move { house.ask(&request).await.problem() }
    };
    let large = "x".repeat(64 * 1024 + 1);
    let twice = "Idempotency-Key: a\r\nIdempotency-Key: b\r\n";
    assert_eq!(ask("PUT", "/nowhere", "", &large).await, code(401, "unauthorized"));
    assert_eq!(ask("PUT", "/v1/messages/", token, &large).await, code(404, "not_found"));
    assert_eq!(ask("PUT", "/v1/messages", token, &large).await, code(405, "method_not_allowed"));
    assert_eq!(ask("POST", "/v1/messages", token, &large).await, code(415, "unsupported_media_type"));
    let token = format!("{token}Content-Type: application/json\r\n");
    assert_eq!(ask("POST", "/v1/messages", &token, &large).await, code(413, "payload_too_large"));
    let token = format!("{token}{twice}");
    assert_eq!(ask("POST", "/v1/messages?x=1", &token, "{\"to\":").await, code(400, "invalid_json"));
    let named = |word: &str, name: &str| (400, word.to_owned(), Some(name.to_owned()));
    assert_eq!(ask("POST", "/v1/messages?x=1", &token, "{\"y\":1}").await, named("invalid_phone_number", "to"));
    let body = r#"{"to":"+12065550100","y":1}"#;
    assert_eq!(ask("POST", "/v1/messages?x=1", &token, body).await, named("invalid_body", "body"));
    let body = r#"{"to":"+12065550100","body":"hello","y":1}"#;
    assert_eq!(ask("POST", "/v1/messages?x=1", &token, body).await, named("invalid_parameter", "y"));
    assert_eq!(ask("POST", "/v1/messages?x=1", &token, GOOD).await, named("invalid_parameter", "x"));
    assert_eq!(ask("POST", "/v1/messages", &token, GOOD).await, named("invalid_parameter", "Idempotency-Key"));
    assert_eq!(house.room.asked(), 0, "nothing came as far as admission");
    let token = token.replace(twice, "");
    house.room.script(Reply::Refused(Problem::new(Code::OptedOut, "It has.")));
    assert_eq!(ask("POST", "/v1/messages", &token, GOOD).await, code(422, "opted_out"));
}

#[tokio::test]
async fn a_request_says_once_which_host_it_is_for_unless_nothing_has_a_name_there() {
    let house = House::with(Some("s3cret-token"), true);
    let refused = (400, "invalid_parameter".to_owned(), Some("Host".to_owned()));
    for hosts in ["", "Host: a\r\nHost: a\r\n", "Host: a\r\nHost: b\r\n"] {
        for path in ["/v1/messages", "/openapi.json", "/nowhere"] {
            let answer = house.ask(&format!("GET {path} HTTP/1.1\r\n{hosts}\r\n")).await;
            assert_eq!(answer.problem(), refused, "{path} {hosts}");
        }
        for path in ["/healthz", "/readyz"] {
            assert_eq!(house.ask(&format!("GET {path} HTTP/1.1\r\n{hosts}\r\n")).await.status, 200, "{path} {hosts}");
        }
        let mut unix = tokio::net::UnixStream::connect(house.socket()).await.unwrap();
        assert_eq!(ask(&mut unix, &format!("GET /openapi.json HTTP/1.1\r\n{hosts}\r\n")).await.status, 200, "{hosts}");
    }
    assert_eq!(house.ask("GET /openapi.json HTTP/1.0\r\n\r\n").await.status, 200, "older than the field");
}

#[tokio::test]
async fn a_body_under_another_transfer_coding_than_chunks_is_not_taken_for_plain() {
    let house = House::open();
    let chunked = format!("{:x}\r\n{GOOD}\r\n0\r\n\r\n", GOOD.len());
    let ask = |fields: &str| {
        let head = "POST /v1/messages HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\n";
        let request = format!("{head}{fields}\r\n{chunked}");
        let house = &house;
        async move { house.ask(&request).await }
    };
    for fields in [
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: identity, chunked\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
    ] {
        assert_eq!(ask(fields).await.problem(), code(415, "unsupported_media_type"), "{fields}");
    }
    assert_eq!(house.room.asked(), 0);
    assert_eq!(ask("Transfer-Encoding: Chunked\r\n").await.status, 200);
}

#[tokio::test]
async fn three_paths_ask_for_no_token_and_say_how_it_stands() {
    let house = House::with(Some("s3cret-token"), true);
    for path in ["/healthz", "/readyz"] {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"status":"ok"}"#), "{path}");
    }
    assert_eq!(house.get("/openapi.json").await.json()["openapi"], "3.1.0");
    let refused = house.get("/v1/simulator/messages").await;
    assert_eq!(refused.problem(), code(401, "unauthorized"));
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn an_agent_that_is_not_ready_answers_503_whatever_is_missing() {
    let house = House::open();
    *house.room.missing.lock().unwrap() = Some(Problem::new(Code::CarrierUnauthorized, "No credentials."));
    assert_eq!(house.get("/readyz").await.problem(), code(503, "carrier_unauthorized"));
    assert_eq!(house.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn readiness_tells_details_to_callers_with_the_token_and_codes_to_everyone() {
    let house = House::with(Some("s3cret-token"), true);
    let missing = Problem::new(Code::CarrierUnauthorized, "Sesame.").with_request_id(Some("r-1".to_owned()));
    *house.room.missing.lock().unwrap() = Some(missing);
    let asked = |header: &str| format!("GET /readyz HTTP/1.1\r\nHost: agent\r\n{header}\r\n");
    for stranger in ["", "Authorization: Bearer wrong\r\n"] {
        let answer = house.ask(&asked(stranger)).await;
        let body = answer.json();
        let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["code", "retryable", "status", "title", "type"], "{body}");
        assert_eq!((answer.status, &body["code"]), (503, &"carrier_unauthorized".into()));
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(answer.header("retry-after").is_some() && !answer.body.contains("Sesame"));
    }
    let told = house.ask(&asked("Authorization: Bearer s3cret-token\r\n")).await.json();
    assert_eq!((&told["detail"], &told["aws_request_id"]), (&"Sesame.".into(), &"r-1".into()));
    let open = House::open();
    *open.room.missing.lock().unwrap() = Some(Problem::new(Code::CarrierUnauthorized, "Sesame."));
    assert_eq!(open.get("/readyz").await.json()["detail"], "Sesame.");
}

#[tokio::test]
async fn a_method_that_a_path_lacks_is_told_which_ones_it_has() {
    let house = House::open();
    for (method, path, allowed) in [
        ("PUT", "/v1/messages", "POST, GET, HEAD"),
        ("HEAD", "/v1/messages/batch", "POST"),
        ("POST", "/v1/messages/01", "GET, DELETE, HEAD"),
        ("OPTIONS", "/healthz", "GET, HEAD"),
        ("BREW", "/readyz", "GET, HEAD"),
    ] {
        let answer = house.ask(&format!("{method} {path} HTTP/1.1\r\nHost: agent\r\n\r\n")).await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allowed)), "{method} {path}");
    }
}

#[tokio::test]
async fn head_answers_as_get_does_but_for_the_body() {
    let house = House::open();
    for path in ["/healthz", "/openapi.json", "/v1/messages/unknown"] {
        let mut connection = house.connect().await;
        let get = ask(&mut connection, &format!("GET {path} HTTP/1.1\r\nHost: agent\r\n\r\n")).await;
        let head = ask(&mut connection, &format!("HEAD {path} HTTP/1.1\r\nHost: agent\r\n\r\n")).await;
        assert_eq!(head.status, get.status, "{path}");
        for name in ["content-type", "content-length"] {
            assert_eq!(head.header(name), get.header(name), "{path}");
        }
        assert_eq!(ask(&mut connection, "GET /healthz HTTP/1.1\r\nHost: agent\r\n\r\n").await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_message_is_found_by_its_id_and_nothing_else_is() {
    let house = House::open();
    let id = message().id;
    assert_eq!(house.get(&format!("/v1/messages/{id}")).await.json()["id"], id.to_string());
    for path in ["/v1/messages/01", "/v1/messages/%FF", "/v1/messages/7ZZZZZZZZZZZZZZZZZZZZZZZZZ"] {
        assert_eq!(house.get(path).await.problem(), code(404, "not_found"), "{path}");
    }
    let named = (400, "invalid_parameter".to_owned(), Some("verbose".to_owned()));
    assert_eq!(house.get(&format!("/v1/messages/{id}?verbose=1")).await.problem(), named);
}

#[tokio::test]
async fn an_opt_out_is_looked_up_with_the_plus_sign_as_it_is_or_encoded() {
    let house = House::open();
    let answer = house.get("/v1/opt-outs/+15005550002").await;
    assert_eq!(answer.body, r#"{"number":"+15005550002","opted_out":true}"#);
    assert_eq!(house.get("/v1/opt-outs/%2B12065550100").await.json()["opted_out"], false);
}

#[tokio::test]
async fn the_phones_are_read_page_by_page() {
    let house = House::open();
    let sms = Sms {
        to: PhoneNumber::parse("+12065550199").unwrap(),
        text: Text::parse("hello".to_owned()).unwrap(),
        kind: SmsType::Transactional,
        sender: Sender::Account,
        max_price_usd: None,
        entity_id: None,
        template_id: None,
    };
    let attempt = Attempt { id: message().id, number: 1, sms: &sms, timeout: Duration::from_secs(5), deadline: None };
    let simulator = house.simulator.as_ref().unwrap();
    let (first, second) = (simulator.publish(attempt).await.unwrap(), simulator.publish(attempt).await.unwrap());
    let page = house.get("/v1/simulator/messages?to=+12065550199&limit=1").await.json();
    let newest = &page["messages"][0];
    assert_eq!((&newest["id"], &newest["message_id"]), (&message().id.to_string().into(), &second.into()));
    assert_eq!((&newest["to"], &newest["body"]), (&"+12065550199".into(), &"hello".into()));
    assert_eq!((&newest["type"], &newest["sender_id"]), (&"transactional".into(), &Value::Null));
    assert_eq!(newest["segments"], 1);
    let cursor = page["next_cursor"].as_str().unwrap();
    let last = house.get(&format!("/v1/simulator/messages?cursor={cursor}")).await.json();
    assert_eq!((&last["next_cursor"], &last["messages"][0]["message_id"]), (&Value::Null, &first.into()));
    let other = house.get("/v1/simulator/messages?to=%2B12065550198").await.json();
    assert_eq!(other, serde_json::json!({ "messages": [], "next_cursor": null }));
    for (query, parameter) in [("cursor=x", "cursor"), ("limit=0", "limit"), ("limit=101", "limit"), ("from=x", "from")]
    {
        let (status, code, named) = house.get(&format!("/v1/simulator/messages?{query}")).await.problem();
        assert_eq!((status, code.as_str(), named.as_deref()), (400, "invalid_parameter", Some(parameter)));
    }
    assert_eq!(House::with(None, false).get("/v1/simulator/messages").await.problem(), code(404, "not_found"));
}
