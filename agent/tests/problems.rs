//! What the program refuses, over a real socket: the code, the parameter to blame, and that nothing was sent.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod process;

use std::io::{Read, Seek, SeekFrom, Write};
use std::net::TcpStream;
use std::path::Path;

use process::{Agent, Answer, Start};
use serde_json::Value;

const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];
const GOOD: &str = r#"{"to":"+12065550100","body":"Hello"}"#;

fn agent() -> Agent {
    Start::new().serve()
}

/// Status, code and parameter.
fn refused(answer: &Answer) -> (u16, String, Option<String>) {
    let parameter = answer.json()["parameter"].as_str().map(str::to_owned);
    (answer.status, answer.problem(), parameter)
}

fn named(status: u16, code: &str, parameter: impl Into<Option<&'static str>>) -> (u16, String, Option<String>) {
    (status, code.to_owned(), parameter.into().map(str::to_owned))
}

#[test]
fn a_body_that_is_no_json_object_with_each_member_once_is_refused() {
    let agent = agent();
    for body in ["", "{", "[]", "null", "\"x\"", "{}{}", r#"{"to":"+12065550100","to":"+12065550100","body":"x"}"#] {
        assert_eq!(refused(&agent.post("/v1/messages", body)), named(400, "invalid_json", None), "{body}");
        assert_eq!(refused(&agent.post("/v1/messages/preview", body)), named(400, "invalid_json", None), "{body}");
    }
    assert!(agent.phone().is_empty());
}

#[test]
fn what_is_wrong_with_a_member_is_told_with_its_name() {
    let agent = agent();
    let ask = |body: &str| refused(&agent.post("/v1/messages", body));
    for to in ["", r#""to":null,"#, r#""to":12065550100,"#, r#""to":"12065550100","#, r#""to":"+1 206 555 0100","#] {
        assert_eq!(ask(&format!("{{{to}\"body\":\"x\"}}")), named(400, "invalid_phone_number", "to"), "{to}");
    }
    let long = format!(r#","body":"{}""#, "x".repeat(1601));
    for body in ["", r#","body":null"#, r#","body":"""#, r#","body":7"#, &long] {
        assert_eq!(ask(&format!(r#"{{"to":"+12065550100"{body}}}"#)), named(400, "invalid_body", "body"), "{body}");
    }
    let reference = format!("\"{}\"", "x".repeat(129));
    for (member, value) in [
        ("type", "\"urgent\""),
        ("sender_id", "\"123\""),
        ("sender_id", "\"ACME-AND-SONS\""),
        ("origination_number", "\"12\""),
        ("max_price_usd", "\"0.00\""),
        ("max_price_usd", "0.5"),
        ("entity_id", "\"\""),
        ("template_id", "7"),
        ("expires_in", "0"),
        ("expires_in", "604801"),
        ("expires_in", "\"60\""),
        ("reference", reference.as_str()),
        ("colour", "\"red\""),
    ] {
        let body = format!(r#"{{"to":"+12065550100","body":"x","{member}":{value}}}"#);
        assert_eq!(ask(&body), named(400, "invalid_parameter", member), "{body}");
    }
    assert!(agent.phone().is_empty());
}

#[test]
fn query_values_and_headers_are_looked_at_as_closely() {
    let agent = agent();
    for (path, parameter) in [
        ("/healthz?verbose=1", "verbose"),
        ("/v1/simulator/messages?limit=0", "limit"),
        ("/v1/simulator/messages?limit=101", "limit"),
        ("/v1/simulator/messages?limit=1&limit=2", "limit"),
        ("/v1/simulator/messages?cursor=nonsense", "cursor"),
        ("/v1/simulator/messages?form=x", "form"),
    ] {
        assert_eq!(refused(&agent.get(path)), named(400, "invalid_parameter", parameter), "{path}");
    }
    assert_eq!(refused(&agent.get("/v1/simulator/messages?to=1206")), named(400, "invalid_phone_number", "to"));
    assert_eq!(refused(&agent.get("/v1/opt-outs/12065550100")), named(400, "invalid_phone_number", "number"));
    assert_eq!(agent.get("/v1/simulator/messages?to=+12065550100").status, 200, "a form's space is a plus sign");
    assert_eq!(refused(&agent.post("/v1/messages?wait=1", GOOD)), named(400, "invalid_parameter", "wait"));
    let long = "k".repeat(256);
    for keys in [&[("Idempotency-Key", "")][..], &[("Idempotency-Key", &long)], &[("Idempotency-Key", "a"); 2]] {
        let answer = agent.request("POST", "/v1/messages", &[&JSON, keys].concat(), GOOD);
        assert_eq!(refused(&answer), named(400, "invalid_parameter", "Idempotency-Key"), "{keys:?}");
    }
    assert!(agent.phone().is_empty());
}

#[test]
fn what_is_not_there_is_404_and_a_method_too_many_405_with_those_that_are() {
    let agent = agent();
    for path in ["/", "/v2/messages", "/v1/messages/", "/v1/messages/01JDCQ4Z5T8W9X7Y6V5S4R3Q2P"] {
        assert_eq!(refused(&agent.get(path)), named(404, "not_found", None), "{path}");
    }
    for (method, path, allow) in [
        ("DELETE", "/v1/messages/preview", "POST"),
        ("PUT", "/v1/messages", "POST, GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
        ("PATCH", "/v1/opt-outs/+12065550100", "GET, HEAD"),
    ] {
        let answer = agent.request(method, path, &JSON, "{}");
        assert_eq!(refused(&answer), named(405, "method_not_allowed", None), "{method} {path}");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
}

#[test]
fn a_body_that_does_not_come_is_given_up_and_one_that_is_too_large_or_no_json_not_read() {
    let agent = agent();
    let head = |more: &str| format!("POST /v1/messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{more}\r\n");
    let slow = agent.raw(&(head("Content-Type: application/json\r\nContent-Length: 40\r\n") + "{"));
    assert_eq!(refused(&slow), named(408, "request_timeout", None));
    let large = agent.post("/v1/messages", &" ".repeat(64 * 1024 + 1));
    assert_eq!(refused(&large), named(413, "payload_too_large", None));
    let chunk = format!("11000\r\n{}\r\n0\r\n\r\n", " ".repeat(0x11000));
    let chunked = agent.raw(&(head("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n") + &chunk));
    assert_eq!(refused(&chunked), named(413, "payload_too_large", None));
    let gzip = [JSON[0], ("Content-Encoding", "gzip")];
    for headers in [&[][..], &[("Content-Type", "text/plain")], &gzip] {
        let answer = agent.request("POST", "/v1/messages", headers, GOOD);
        assert_eq!(refused(&answer), named(415, "unsupported_media_type", None), "{headers:?}");
    }
    assert!(agent.phone().is_empty());
}

#[test]
fn a_message_that_is_given_up_answers_its_last_problem_with_its_id() {
    let agent = Start::new().env("SMS_DISPATCH__MAX_ATTEMPTS", "1").serve();
    for (to, code) in [("+15005550004", "carrier_throttled"), ("+15005550006", "carrier_unavailable")] {
        let answer = agent.send(to);
        assert_eq!(refused(&answer), named(503, code, None));
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        let message = agent.get(&format!("/v1/messages/{id}")).json();
        assert_eq!((&message["status"], &message["error"]["code"]), (&"failed".into(), &code.into()));
    }
    assert!(agent.phone().is_empty());
}

#[test]
fn head_answers_as_get_without_its_body_and_a_connection_serves_many_requests() {
    let agent = agent();
    let head = agent.request("HEAD", "/openapi.json", &[], "");
    let get = agent.get("/openapi.json");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), get.header("content-length"));
    assert_eq!(get.header("content-type"), Some("application/json"));
    let mut connection = TcpStream::connect(agent.address).unwrap();
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut buffer = [0; 1024];
    for _ in 0..3 {
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        while !answer.ends_with(r#"{"status":"ok"}"#) {
            let read = connection.read(&mut buffer).unwrap();
            assert!(read > 0, "the agent hung up: {answer}");
            answer.push_str(std::str::from_utf8(buffer.get(..read).unwrap()).unwrap());
        }
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[test]
fn while_nothing_can_be_written_nothing_is_accepted_and_when_it_can_all_goes_on_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Start::surviving_full_files(folder.path()).serve();
    let id = agent.send("+12065550100").json()["id"].as_str().unwrap().to_owned();
    agent.limit_files("1");
    for headers in [&JSON[..], &[JSON[0], ("Prefer", "respond-async")], &[JSON[0], ("Idempotency-Key", "order 7")]] {
        let answer = agent.request("POST", "/v1/messages", headers, GOOD);
        assert_eq!(refused(&answer), named(503, "outbox_unavailable", None), "{headers:?}");
        assert!(answer.json().get("id").is_none(), "nothing was accepted");
    }
    assert_eq!(refused(&agent.get("/readyz")), named(503, "outbox_unavailable", None));
    assert_eq!(agent.get("/healthz").status, 200, "it is not dead");
    assert_eq!(agent.get(&format!("/v1/messages/{id}")).status, 200, "what was written can be read");
    agent.limit_files("unlimited");
    agent.until("it is ready again", |agent| agent.get("/readyz").status == 200);
    let again = agent.request("POST", "/v1/messages", &[JSON[0], ("Idempotency-Key", "order 7")], GOOD);
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, None), "{again:?}");
    assert_eq!(agent.phone().len(), 2);
}

/// Overwrites the first page of a table or an index.
fn damage(path: &Path, name: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let root: u32 = connection.query_row(sql, [name], |row| row.get(0)).unwrap();
    let size: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
    connection.close().unwrap();
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(u64::from(root - 1) * u64::from(size))).unwrap();
    file.write_all(&vec![0xa5; size as usize]).unwrap();
}

#[test]
fn damage_that_is_met_on_any_way_keeps_the_agent_unready_and_is_said_once_with_the_way_out() {
    for name in ["message_sending", "message_settled", "idempotency"] {
        let agent = Start::new().serve();
        agent.send("+12065550100");
        let path = agent.data_dir().join("outbox.db");
        agent.terminate();
        let folder = agent.wait().2.unwrap();
        damage(&path, name);

        let agent = Start::in_folder(folder.path())
            .env("SMS_AGENT__WAIT", "100ms")
            .env("SMS_AGENT__SHUTDOWN_TIMEOUT", "1s")
            .serve();
        agent.request("POST", "/v1/messages", &[JSON[0], ("Idempotency-Key", "order 7")], GOOD);
        agent.until("it is noticed", |agent| agent.get("/readyz").status == 503);
        for _ in 0..3 {
            agent.send("+12065550100");
            let answer = agent.get("/readyz");
            assert_eq!(refused(&answer), named(503, "outbox_unavailable", None), "{name}");
            assert!(answer.json()["detail"].as_str().unwrap().contains(".recover"), "{answer:?}");
            assert_eq!(agent.get("/healthz").status, 200);
        }
        // A stop writes all lines of the log; a kill may come before the last ones.
        agent.terminate();
        let (_, log, _) = agent.wait();
        assert_eq!(log.matches("is damaged").count(), 1, "{name}: {log}");
        assert!(!log.contains("works again"), "{name}: {log}");
    }
}

#[test]
fn an_outbox_with_a_damaged_page_is_not_ready_although_other_pages_take_writes() {
    let agent = Start::new().serve();
    agent.send("+12065550100");
    let path = agent.data_dir().join("outbox.db");
    agent.terminate();
    let (_, _, folder) = agent.wait();
    let folder = folder.unwrap();
    damage(&path, "message_recipient");

    let agent = Start::in_folder(folder.path()).serve();
    for _ in 0..2 {
        assert_eq!(refused(&agent.send("+12065550100")), named(503, "outbox_unavailable", None));
        assert_eq!(refused(&agent.get("/readyz")), named(503, "outbox_unavailable", None));
        assert_eq!(refused(&agent.get("/readyz")), named(503, "outbox_unavailable", None), "to look is not to heal");
        assert_eq!(agent.get("/healthz").status, 200);
    }
}

#[test]
fn what_was_under_way_when_the_disk_filled_is_settled_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Start::surviving_full_files(folder.path()).env("SMS_SIMULATOR__LATENCY", "500ms").serve();
    let headers = [JSON[0], ("Prefer", "respond-async")];
    let ids: Vec<Value> =
        (0..3).map(|_| agent.request("POST", "/v1/messages", &headers, GOOD).json()["id"].clone()).collect();
    agent.wait_for(ids[2].as_str().unwrap(), &["sending", "sent"]);
    agent.limit_files("1");
    agent.until("it is noticed", |agent| agent.get("/readyz").status == 503);
    agent.limit_files("unlimited");
    for id in &ids {
        agent.wait_for(id.as_str().unwrap(), &["sent", "delivered"]);
    }
    agent.terminate();
    let (status, log, _) = agent.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!log.contains("2065550100"), "{log}");
}

#[test]
fn a_program_that_keeps_the_outbox_locked_stops_sends_until_it_ends_and_nothing_is_lost() {
    let agent = Start::new().serve();
    assert_eq!(agent.send("+12065550100").status, 200);
    let other = rusqlite::Connection::open(agent.data_dir().join("outbox.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = agent.send("+12065550101");
    assert_eq!((refused.status, refused.problem().as_str()), (503, "outbox_unavailable"));
    assert!(refused.json()["detail"].as_str().unwrap().contains("nother program"), "{refused:?}");
    assert_eq!(agent.get("/healthz").status, 200);
    other.execute_batch("ROLLBACK").unwrap();
    agent.until("it sends again", |agent| agent.send("+12065550102").status == 200);
    let messages = agent.get("/v1/messages").json();
    let to: Vec<_> = messages["messages"].as_array().unwrap().iter().map(|one| one["to"].as_str().unwrap()).collect();
    assert!(!to.contains(&"+12065550101"), "what was refused is not there");
}
