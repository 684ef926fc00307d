//! What a batch, a look at the history and a cancellation hand to the next room, and what they answer.

use super::*;

const BATCH: &str = r#"{"messages":[{"to":"+12065550100","body":"hello"},{"to":"+12065550100","body":""}]}"#;

#[tokio::test]
async fn a_batch_answers_200_with_a_result_for_each_in_order() {
    let house = House::open();
    let answer = house.ask(&post("/v1/messages/batch", "Prefer: respond-async\r\n", BATCH)).await;
    assert_eq!((answer.status, answer.header("preference-applied")), (200, None));
    assert_eq!((answer.header("idempotency-replayed"), answer.header("location")), (None, None));
    let json = answer.json();
    let results = json["results"].as_array().unwrap();
    assert_eq!((&results[0]["status"], &results[0]["message"]["status"]), (&202.into(), &"queued".into()));
    assert_eq!((&results[1]["status"], &results[1]["problem"]["code"]), (&400.into(), &"invalid_body".into()));
    assert!(results[0].get("problem").is_none() && results[1].get("message").is_none());
}

#[tokio::test]
async fn the_key_of_a_batch_covers_all_of_it_and_a_replay_says_so() {
    let house = House::open();
    let ask = async |body: &str| house.ask(&post("/v1/messages/batch", "Idempotency-Key: k\r\n", body)).await;
    assert_eq!(ask(BATCH).await.header("idempotency-replayed"), Some("true"));
    ask(&BATCH.replace("hello", "hallo")).await;
    let keys: Vec<_> = house.room.batches.lock().unwrap().iter().map(|batch| batch.key.unwrap()).collect();
    assert_eq!(keys[0].key, keys[1].key);
    assert_ne!(keys[0].fingerprint, keys[1].fingerprint);
}

#[tokio::test]
async fn a_batch_may_be_larger_than_one_message_and_has_its_own_limit() {
    let house = House::open();
    let padded = |bytes: usize| post("/v1/messages/batch", "", &format!("{}{BATCH}", " ".repeat(bytes - BATCH.len())));
    assert_eq!(house.ask(&padded(2 * 1024 * 1024)).await.status, 200);
    assert_eq!(house.ask(&padded(2 * 1024 * 1024 + 1)).await.problem().0, 413);
}

#[tokio::test]
async fn a_page_is_asked_for_as_the_query_says() {
    let house = House::open();
    let answer =
        house.get("/v1/messages?status=sent&to=+12065550100&reference=a%20b&limit=7&cursor=0000000000000009").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["messages"].as_array().unwrap().len(), 1);
    assert_eq!(answer.json()["next_cursor"], "000000000000002a");
    let (filter, before, limit) = house.room.pages.lock().unwrap().pop().unwrap();
    assert_eq!((filter.status, filter.to.unwrap().as_str()), (Some(Status::Sent), "+12065550100"));
    assert_eq!((filter.reference.as_deref(), limit), (Some("a b"), 7));
    assert_eq!(before.unwrap().to_string(), "0000000000000009");
}

#[tokio::test]
async fn a_filter_that_is_not_understood_is_refused_and_not_left_out() {
    let house = House::open();
    for (query, name) in [("status=done", "status"), ("Status=sent", "Status"), ("cursor=x", "cursor"), ("to=7", "to")]
    {
        let (status, _, parameter) = house.get(&format!("/v1/messages?{query}")).await.problem();
        assert_eq!((status, parameter.as_deref()), (400, Some(name)), "{query}");
    }
    assert!(house.room.pages.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_message_that_cannot_be_canceled_is_named_and_an_unknown_one_is_404() {
    let house = House::open();
    let delete = async |id: &str| house.ask(&format!("DELETE /v1/messages/{id} HTTP/1.1\r\nHost: agent\r\n\r\n")).await;
    let id = message().id.to_string();
    let answer = delete(&id).await;
    assert_eq!(answer.problem(), (409, "not_cancelable".to_owned(), None));
    assert_eq!(answer.json()["id"], id);
    for unknown in ["01JDCQ4Z5T8W9X7Y6V5S4R3Q2P", "x"] {
        assert_eq!(delete(unknown).await.problem().0, 404);
    }
}
