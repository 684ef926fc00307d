//! Answers that nobody reads over HTTP/2, where the other side can hold back each of them: in frames written by hand.

use super::*;
use crate::api::pulse::UNREAD_FOR;

const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;
const REFUSED_STREAM: u32 = 7;

/// Streams that one connection may have.
const STREAMS: u32 = 64;

/// Answers of one connection that need no place, and places that each of the two listeners of a house has for more.
const ALLOWANCE: usize = 4;
const PLACES: usize = REQUESTS / 2 / 2;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// As many requests as there may be at a time, by a client that lets no byte of their answers come.
fn requests(path: &str) -> Vec<u8> {
    // SETTINGS_INITIAL_WINDOW_SIZE is 0.
    let mut bytes = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])].concat();
    // From HPACK's static table: GET, http; then a path and an authority.
    let mut head = vec![0x82, 0x86, 0x04, u8::try_from(path.len()).unwrap()];
    head.extend_from_slice(path.as_bytes());
    head.extend_from_slice(&[0x01, 0x01, b'a']);
    (0..STREAMS).for_each(|n| bytes.extend(frame(HEADERS, 0b101, 2 * n + 1, &head)));
    bytes
}

/// The next frame: its kind and payload.
async fn next(connection: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 9];
    connection.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    connection.read_exact(&mut payload).await.ok()?;
    Some((head[3], payload))
}

/// How many of the requests on a new connection were answered, whose answers it now leaves unread. The others were refused.
async fn answered(house: &House, path: &str) -> (usize, TcpStream) {
    let mut connection = house.connect().await;
    connection.write_all(&requests(path)).await.unwrap();
    let (mut answered, mut refused) = (0, 0);
    while answered + refused < usize::try_from(STREAMS).unwrap() {
        match next(&mut connection).await.unwrap() {
            (HEADERS, _) => answered += 1,
            (RESET, code) => {
                assert_eq!(code, REFUSED_STREAM.to_be_bytes(), "as never looked at");
                refused += 1;
            }
            (kind, _) => assert_ne!(kind, GO_AWAY),
        }
    }
    (answered, connection)
}

#[tokio::test]
async fn answers_that_nobody_reads_are_bounded_over_all_connections_and_then_given_up() {
    let house = House::with(Some("s3cret-token"), true);
    let (mut held, mut connections) = (0, Vec::new());
    for path in ["/openapi.json", "/healthz", "/v1/messages"].iter().cycle().take(50) {
        let (count, connection) = answered(&house, path).await;
        assert!(count >= ALLOWANCE, "every connection has a few answers of its own");
        held += count;
        connections.push(connection);
    }
    assert_eq!(held, PLACES + 50 * ALLOWANCE);
    assert_eq!(house.get("/healthz").await.status, 200, "who reads is served");
    let begun = Instant::now();
    tokio::time::pause();
    for mut connection in connections {
        while next(&mut connection).await.is_some() {}
    }
    assert!(begun.elapsed() >= UNREAD_FOR && begun.elapsed() < 2 * UNREAD_FOR, "{:?}", begun.elapsed());
    let (count, _connection) = answered(&house, "/healthz").await;
    assert_eq!(count, 64, "what was held is given back");
}

#[tokio::test]
async fn a_request_is_in_hand_until_its_answer_is_written() {
    let house = House::open();
    let (count, mut connection) = answered(&house, "/healthz").await;
    assert_eq!(count, 64);
    // A window for all of them lets them through, and the places are free again: as many requests are answered anew.
    connection.write_all(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0xff, 0xff])).await.unwrap();
    let mut ended = 0;
    while ended < 64 {
        let (kind, payload) = next(&mut connection).await.unwrap();
        if kind == 0 {
            assert_eq!(payload, br#"{"status":"ok"}"#);
            ended += 1;
        }
    }
}
