//! Keep-alive, pipelining, chunks, HTTP/2 with prior knowledge, Unix sockets.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::UnixStream;

use super::*;

#[tokio::test]
async fn requests_that_are_sent_at_once_are_answered_in_order() {
    let house = House::open();
    let mut connection = house.connect().await;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: agent\r\n\r\n");
    let all = [post("/v1/messages", "", GOOD), get("/healthz"), get("/nowhere")].concat();
    connection.write_all(all.as_bytes()).await.unwrap();
    for expected in [200, 200, 404] {
        assert_eq!(read(&mut connection, false).await.status, expected);
    }
}

#[tokio::test]
async fn a_body_in_chunks_is_put_together_and_the_connection_lives_on() {
    let house = House::open();
    let mut connection = house.connect().await;
    let (first, second) = GOOD.split_at(10);
    let request = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    for _ in 0..2 {
        assert_eq!(ask(&mut connection, &request).await.status, 200);
    }
}

#[tokio::test]
async fn a_body_that_nobody_reads_does_not_get_into_the_next_request() {
    let house = House::open();
    let mut connection = house.connect().await;
    let body = "GET /nowhere HTTP/1.1\r\nHost: agent\r\n\r\n";
    let request = format!("GET /healthz HTTP/1.1\r\nHost: agent\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    for _ in 0..3 {
        assert_eq!(ask(&mut connection, &request).await.status, 200);
    }
}

#[tokio::test]
async fn a_unix_socket_serves_as_well() {
    let house = House::open();
    let mut connection = UnixStream::connect(house.socket()).await.unwrap();
    assert_eq!(ask(&mut connection, &post("/v1/messages", "", GOOD)).await.status, 200);
}

#[tokio::test]
async fn http_2_with_prior_knowledge_answers_many_requests_at_once() {
    let house = House::open();
    let io = TokioIo::new(house.connect().await);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let until = Arc::new(Notify::new());
    house.room.script(Reply::Wait(Arc::clone(&until)));
    let request = |method: &str, path: &str, body: &'static str| {
        let request = Request::builder().method(method).uri(format!("http://agent{path}"));
        request.header("content-type", "application/json").body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap()
    };
    let waiting = tokio::spawn(sender.send_request(request("POST", "/v1/messages", GOOD)));
    house.room.arrived.notified().await;
    let answer = sender.send_request(request("POST", "/v1/messages", GOOD)).await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer = sender.send_request(request("HEAD", "/openapi.json", "")).await.unwrap();
    assert!(answer.headers()["content-length"].to_str().unwrap().parse::<usize>().unwrap() > 0);
    assert!(answer.into_body().collect().await.unwrap().to_bytes().is_empty());
    until.notify_one();
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
}
