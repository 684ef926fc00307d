//! What a send hands to the next room, and what it answers.

use super::*;

#[tokio::test]
async fn a_send_hands_over_what_was_asked_and_answers_the_message() {
    let house = House::open();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let answer = house.post(&format!("traceparent: {trace}\r\nAccept: text/html\r\n"), GOOD).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.json()["message_id"], "sns-1");
    let submission = house.room.submissions.lock().unwrap().pop().unwrap();
    assert_eq!(submission.draft.sms.text.as_str(), "hello");
    assert_eq!(submission.wait, Some(Duration::from_secs(10)));
    assert_eq!((submission.key, submission.trace.as_deref()), (None, Some(trace)));
}

#[tokio::test]
async fn a_sender_that_does_not_wait_gets_202_and_where_to_look() {
    let house = House::open();
    house.room.answer(message(), true);
    let answer = house.post("Prefer: respond-async\r\nIdempotency-Key: k\r\n", GOOD).await;
    assert_eq!((answer.status, answer.header("preference-applied")), (202, Some("respond-async")));
    assert_eq!(answer.header("location"), Some(format!("/v1/messages/{}", message().id).as_str()));
    assert_eq!(answer.header("idempotency-replayed"), Some("true"));
    let submission = house.room.submissions.lock().unwrap().pop().unwrap();
    assert!(submission.wait.is_none() && submission.key.is_some());
}

#[tokio::test]
async fn the_problem_of_a_message_names_it() {
    let house = House::open();
    let error = Some(Problem::new(Code::CarrierRejected, "No.").with_request_id(Some("r-1".to_owned())));
    let message = Message { status: Status::Failed, error, ..message() };
    let id = message.id.to_string();
    house.room.answer(message, false);
    let answer = house.post("", GOOD).await;
    assert_eq!(answer.problem().1, "carrier_rejected");
    assert_eq!((&answer.json()["id"], &answer.json()["aws_request_id"]), (&Value::from(id), &Value::from("r-1")));
}

#[tokio::test]
async fn a_panic_answers_500_and_the_connection_lives_on() {
    let house = House::open();
    house.room.script(Reply::Panic);
    let mut connection = house.connect().await;
    let answer = ask(&mut connection, &post("/v1/messages", "", GOOD)).await;
    assert_eq!(answer.problem().1, "internal");
    assert_eq!(ask(&mut connection, &post("/v1/messages", "", GOOD)).await.status, 200);
}

#[tokio::test]
async fn a_preview_lists_everything_and_sends_nothing() {
    let house = House::open();
    let preview = |path: &'static str, body: &'static str| house_preview(&house, path, body);
    let good = preview("/v1/messages/preview", GOOD).await.json();
    assert_eq!((&good["encoding"], &good["segments"], &good["admitted"]), (&"GSM-7".into(), &1.into(), &true.into()));
    assert_eq!(good["problems"][0]["code"], "phone_number_unassigned");
    let bad = preview("/v1/messages/preview?x=1", r#"{"to":"+12065550100","body":3,"y":1}"#).await;
    assert_eq!(bad.status, 200);
    let bad = bad.json();
    let codes: Vec<_> =
        bad["problems"].as_array().unwrap().iter().map(|problem| problem["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["invalid_body", "invalid_parameter", "invalid_parameter", "phone_number_unassigned"]);
    assert_eq!((&bad["encoding"], &bad["segments"], &bad["admitted"]), (&Value::Null, &Value::Null, &false.into()));
    assert_eq!(preview("/v1/messages/preview", "[]").await.problem().1, "invalid_json");
    assert_eq!(house.room.asked(), 0);
}

async fn house_preview(house: &House, path: &str, body: &str) -> Reading {
    house.ask(&post(path, "", body)).await
}

#[tokio::test]
async fn an_answer_has_the_headers_of_the_contract_and_no_others() {
    let house = House::open();
    assert_eq!(house.post("", GOOD).await.headers(), ["content-length", "content-type", "date"]);
    assert_eq!(house.post("", "{}").await.headers(), ["content-length", "content-type", "date"]);
    house.room.answer(message(), false);
    assert_eq!(house.post("", GOOD).await.headers(), ["content-length", "content-type", "date", "location"]);
    house.room.script(Reply::Refused(Problem::new(Code::OutboxUnavailable, "Full.")));
    assert_eq!(house.post("", GOOD).await.headers(), ["content-length", "content-type", "date", "retry-after"]);
}
