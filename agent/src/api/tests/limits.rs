//! What is too large, too slow or too much. Time is paused: it moves on whenever everybody waits.

use tokio::time::Instant;

use super::*;
use crate::api::pulse::{HEAD_WITHIN, IDLE_FOR};

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_answered_408_and_the_connection_closed() {
    let house = House::open();
    let mut connection = house.connect().await;
    let request = post("/v1/messages", "", GOOD);
    let (most, _) = request.split_at(request.len() - 5);
    let answer = ask(&mut connection, most).await;
    assert_eq!(answer.problem().1, "request_timeout");
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(is_closed(&mut connection).await);
    assert_eq!(house.room.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_end_is_cut_and_an_idle_connection_later() {
    let house = House::open();
    let begun = Instant::now();
    let mut slow = house.connect().await;
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost:").await.unwrap();
    assert!(is_closed(&mut slow).await);
    assert!((HEAD_WITHIN..IDLE_FOR).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    let begun = Instant::now();
    assert!(is_closed(&mut house.connect().await).await, "one that never said a word");
    assert!((HEAD_WITHIN..IDLE_FOR).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    let begun = Instant::now();
    let mut idle = house.connect().await;
    assert_eq!(ask(&mut idle, "GET /healthz HTTP/1.1\r\nHost: agent\r\n\r\n").await.status, 200);
    assert!(is_closed(&mut idle).await);
    assert!(begun.elapsed() >= IDLE_FOR, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_came_while_the_process_was_stopped_is_answered_though_the_connection_is_overdue() {
    let house = House::open();
    let ask_health = "GET /healthz HTTP/1.1\r\nHost: agent\r\n\r\n";
    for _ in 0..8 {
        let mut idle = house.connect().await;
        assert_eq!(ask(&mut idle, ask_health).await.status, 200);
        idle.write_all(ask_health.as_bytes()).await.unwrap();
        tokio::time::advance(IDLE_FOR * 2).await;
        let mut start = [0; 12];
        idle.read_exact(&mut start).await.unwrap();
        assert_eq!(&start, b"HTTP/1.1 200");
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_or_has_too_many_fields_is_refused() {
    let house = House::open();
    let large = format!("GET /healthz HTTP/1.1\r\nHost: agent\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    let many = format!("GET /healthz HTTP/1.1\r\nHost: agent\r\n{}\r\n", "X: y\r\n".repeat(120));
    for request in [large, many] {
        assert_eq!(house.ask(&request).await.status, 431);
    }
    let allowed = format!("GET /healthz HTTP/1.1\r\nHost: agent\r\n{}\r\n", "X: y\r\n".repeat(90));
    assert_eq!(house.ask(&allowed).await.status, 200);
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_refused_before_it_is_sent() {
    let house = House::open();
    let request = "POST /v1/messages HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\n\
                   Expect: 100-continue\r\nContent-Length: 65537\r\n\r\n";
    assert_eq!(house.ask(request).await.problem().1, "payload_too_large");
}

#[tokio::test]
async fn a_body_of_the_largest_size_is_read_and_one_byte_more_is_not() {
    let house = House::open();
    let padded = |length: usize| format!("{GOOD}{}", " ".repeat(length - GOOD.len()));
    assert_eq!(house.post("", &padded(64 * 1024)).await.status, 200);
    let mut connection = house.connect().await;
    let refused = ask(&mut connection, &post("/v1/messages", "", &padded(64 * 1024 + 1))).await;
    assert_eq!(refused.problem().1, "payload_too_large");
    assert_eq!(ask(&mut connection, &post("/v1/messages", "", GOOD)).await.status, 200, "the rest was read away");
}

#[tokio::test(start_paused = true)]
async fn when_all_bodies_take_up_what_they_may_the_next_one_is_refused() {
    let house = House::open();
    let declared = 64 * 1024;
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\nContent-Length: {declared}\r\n\r\n"
    );
    let most = format!("{head}{}", " ".repeat(declared - 1));
    let mut refused = 0;
    let mut connections = Vec::new();
    // Each takes up 64 KiB and hyper's 32 KiB.
    for _ in 0..684 {
        let mut connection = house.connect().await;
        connection.write_all(most.as_bytes()).await.unwrap();
        connections.push(connection);
    }
    for mut connection in connections {
        let (status, code, _) = read(&mut connection, false).await.problem();
        assert!(matches!((status, code.as_str()), (503, "overloaded") | (408, "request_timeout")), "{status} {code}");
        refused += usize::from(status == 503);
    }
    assert!((1..=4).contains(&refused), "{refused}");
    assert_eq!(house.post("", GOOD).await.status, 200, "once they are gone there is room again");
}

#[tokio::test]
async fn when_as_many_requests_wait_as_may_the_next_one_is_refused_but_health_is_answered() {
    let house = House::open();
    let all = house.api.in_hand.try_acquire_many(u32::try_from(REQUESTS).unwrap()).unwrap();
    assert_eq!(house.post("", GOOD).await.problem().1, "overloaded");
    assert_eq!(house.get("/healthz").await.status, 200);
    drop(all);
    assert_eq!(house.post("", GOOD).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_reads_does_not_hold_its_connection_for_ever() {
    let house = House::open();
    let mut connection = house.connect().await;
    let get = "GET /openapi.json HTTP/1.1\r\nHost: agent\r\n\r\n".repeat(50);
    // Until the other side takes no more requests, since it cannot get rid of its answers.
    while connection.write_all(get.as_bytes()).await.is_ok() {}
    assert_eq!(house.get("/healthz").await.status, 200);
}
