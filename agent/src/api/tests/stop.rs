//! The two steps of a stop: first nothing new is taken in, then the door closes.

use super::*;

#[tokio::test]
async fn a_stopping_agent_refuses_what_is_new_and_says_that_it_closes() {
    let house = House::open();
    let mut kept = house.connect().await;
    let health = "GET /healthz HTTP/1.1\r\nHost: agent\r\n\r\n";
    assert_eq!(ask(&mut kept, health).await.header("connection"), None);
    house.room.stopping.store(true, Ordering::Relaxed);
    let refused = ask(&mut kept, &post("/v1/messages", "", GOOD)).await;
    assert_eq!((refused.problem().1.as_str(), refused.header("connection")), ("shutting_down", Some("close")));
    assert!(is_closed(&mut kept).await);
    for path in ["/readyz", "/nowhere", "/openapi.json"] {
        assert_eq!(house.get(path).await.problem().1, "shutting_down", "{path}");
    }
    assert_eq!(house.get("/healthz").await.status, 200);
    assert_eq!(house.room.asked(), 0);
}

#[tokio::test]
async fn what_is_in_hand_is_answered_before_the_door_is_closed() {
    let mut house = House::open();
    let until = Arc::new(Notify::new());
    house.room.script(Reply::Wait(Arc::clone(&until)));
    let mut waiting = house.connect().await;
    let mut idle = house.connect().await;
    assert_eq!(ask(&mut idle, "GET /healthz HTTP/1.1\r\nHost: agent\r\n\r\n").await.status, 200);
    waiting.write_all(post("/v1/messages", "", GOOD).as_bytes()).await.unwrap();
    house.room.arrived.notified().await;
    house.close();
    assert!(is_closed(&mut idle).await);
    assert!(TcpStream::connect(("127.0.0.1", house.port)).await.is_err(), "nobody new is let in");
    until.notify_one();
    assert_eq!(read(&mut waiting, false).await.status, 200);
    house.close().await.unwrap();
    assert!(!house.socket().exists());
}

#[tokio::test]
async fn a_request_whose_body_is_still_on_its_way_is_answered_at_once() {
    let mut house = House::open();
    let mut connection = house.connect().await;
    let request = post("/v1/messages", "Expect: 100-continue\r\n", GOOD);
    let (most, _) = request.split_at(request.len() - 5);
    connection.write_all(most.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    connection.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n", "the agent waits for the body");
    house.room.stopping.store(true, Ordering::Relaxed);
    house.api.stop();
    let answer = read(&mut connection, false).await;
    assert_eq!((answer.problem().1.as_str(), answer.header("connection")), ("shutting_down", Some("close")));
    house.api.answered().await;
    house.close().await.unwrap();
    assert_eq!(house.room.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_in_time_is_cut() {
    let mut house = House::open();
    house.room.script(Reply::Wait(Arc::new(Notify::new())));
    let mut waiting = house.connect().await;
    waiting.write_all(post("/v1/messages", "", GOOD).as_bytes()).await.unwrap();
    house.room.arrived.notified().await;
    let begun = Instant::now();
    house.close().await.unwrap();
    assert_eq!(begun.elapsed(), GRACE);
    assert!(is_closed(&mut waiting).await);
}
