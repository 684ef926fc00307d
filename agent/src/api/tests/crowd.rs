//! More connections than there may be: who is still served, and what the others are told.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::UnixStream;

use super::*;

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: agent\r\n\r\n";

/// A house whose listeners serve so many connections, and as many of them at the first one, each after a request.
async fn crowded(connections: usize) -> (House, Vec<TcpStream>) {
    let house = House::limited(None, true, Limits { connections, beyond: 4 });
    let mut crowd = Vec::new();
    for _ in 0..connections {
        let mut connection = house.connect().await;
        assert_eq!(ask(&mut connection, HEALTH).await.status, 200);
        crowd.push(connection);
    }
    (house, crowd)
}

#[tokio::test]
async fn a_connection_beyond_the_limit_is_told_so_and_closed_after_its_answer() {
    let (house, crowd) = crowded(2).await;
    let large = post("/v1/messages", "", &format!("{GOOD}{}", " ".repeat(60_000)));
    let twice = large.repeat(2);
    for request in [large, twice, "GET /v1/messages HTTP/1.1\r\nHost: agent\r\n\r\n".to_owned()] {
        let mut connection = house.connect().await;
        let answer = ask(&mut connection, &request).await;
        assert_eq!(answer.problem(), (503, "overloaded".to_owned(), None));
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(connection.read(&mut [0]).await.unwrap(), 0, "it ends without a reset");
    }
    assert_eq!(house.room.asked(), 0);
    drop(crowd);
    // The places are free once the agent has seen that the others are gone.
    while house.post("", GOOD).await.status != 200 {}
}

#[tokio::test]
async fn health_and_readiness_are_answered_beyond_the_limit() {
    let (house, _crowd) = crowded(2).await;
    for path in ["/healthz", "/readyz"] {
        let mut connection = house.connect().await;
        let answer = ask(&mut connection, &format!("GET {path} HTTP/1.1\r\nHost: agent\r\n\r\n")).await;
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")), "{path}");
        assert!(is_closed(&mut connection).await, "{path}");
    }
}

#[tokio::test]
async fn silent_connections_beyond_the_limit_do_not_keep_health_from_being_answered() {
    let (house, _crowd) = crowded(1).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(house.connect().await);
    }
    assert_eq!(house.get("/healthz").await.status, 200);
    for mut connection in silent {
        assert_eq!(read(&mut connection, false).await.problem().1, "overloaded");
        assert!(is_closed(&mut connection).await);
    }
}

#[tokio::test]
async fn http_2_beyond_the_limit_is_answered_as_well() {
    let (house, _crowd) = crowded(1).await;
    let io = TokioIo::new(house.connect().await);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    let connection = tokio::spawn(connection);
    let get = |path| Request::get(format!("http://agent{path}")).body(Empty::<Bytes>::new()).unwrap();
    assert_eq!(sender.send_request(get("/healthz")).await.unwrap().status(), 200);
    let answer = sender.send_request(get("/v1/messages")).await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    let problem: Value = serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(problem["code"], "overloaded");
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_crowd_at_one_listener_shuts_out_nobody_at_another() {
    let (house, _crowd) = crowded(1).await;
    let mut connection = UnixStream::connect(house.socket()).await.unwrap();
    assert_eq!(ask(&mut connection, &post("/v1/messages", "", GOOD)).await.status, 200);
}

#[tokio::test]
async fn senders_that_wait_leave_connections_to_those_that_read() {
    let house = House::limited(None, true, Limits { connections: 8, beyond: 4 });
    let until = Arc::new(Notify::new());
    let mut waiting = Vec::new();
    for _ in 0..7 {
        house.room.script(Reply::Wait(Arc::clone(&until)));
        let mut connection = house.connect().await;
        connection.write_all(post("/v1/messages", "", GOOD).as_bytes()).await.unwrap();
        house.room.arrived.notified().await;
        waiting.push(connection);
    }
    let mut last = house.connect().await;
    let refused = ask(&mut last, &post("/v1/messages", "", GOOD)).await;
    assert_eq!(refused.problem(), (503, "overloaded".to_owned(), None));
    assert_eq!(refused.header("connection"), Some("close"), "it makes room for another");
    assert!(is_closed(&mut last).await);
    let mut reader = house.connect().await;
    for path in ["/v1/messages", "/readyz", "/healthz", "/openapi.json"] {
        let answer = ask(&mut reader, &format!("GET {path} HTTP/1.1\r\nHost: agent\r\n\r\n")).await;
        assert_eq!((answer.status, answer.header("connection")), (200, None), "{path}");
    }
    until.notify_waiters();
    for mut connection in waiting {
        assert_eq!(read(&mut connection, false).await.status, 200);
    }
}

#[tokio::test]
async fn a_connection_that_cannot_be_served_for_the_clock_is_told_so() {
    let listener = Listener::bind(&Listen::Tcp("127.0.0.1:0".parse().unwrap()), 0o600).unwrap();
    let mut connection = TcpStream::connect(("127.0.0.1", listener.local.port.unwrap())).await.unwrap();
    connection.write_all(HEALTH.as_bytes()).await.unwrap();
    beyond::without_a_date(listener.accept().await.unwrap()).await;
    let answer = read(&mut connection, false).await;
    assert_eq!(answer.problem(), (500, "internal".to_owned(), None));
    assert!(answer.json()["detail"].as_str().unwrap().contains("clock"));
    assert_eq!(connection.read(&mut [0]).await.unwrap(), 0, "it ends without a reset");
}
