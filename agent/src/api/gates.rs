//! The gates that every request passes, in the order that the contract fixes.
//!
//! In flows a request as hyper has it; out flows its answer. The order is part of the contract: it decides which of
//! several problems is told, and that nothing is learnt, read or remembered for whoever did not pass the gates before.

use std::sync::Arc;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, EXPECT, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, Request, Version};
use hyper::body::{Body, Incoming};

use super::answer::Answer;
use super::connection::Door;
use super::query::Query;
use super::routes::{Act, Call, HEALTH, Place, READINESS};
use super::{Api, beyond, body, json, problem};
use crate::message::{Code, Problem};

/// Takes a request through all gates. `found` is the place that its path leads to.
pub(super) async fn pass(
    api: &Arc<Api>,
    door: &Door,
    found: Option<(&Place, String)>,
    request: Request<Incoming>,
) -> Answer {
    let (head, mut body) = request.into_parts();
    let drained = head.version < Version::HTTP_2 && !head.headers.contains_key(EXPECT);
    let answer = gates(api, door, found, head, &mut body).await;
    // What is left of a body that nobody wanted; over HTTP/2 and before «100 Continue» it need not be sent.
    if drained && !body.is_end_stream() && answer.as_ref().map_or_else(|problem| !is_cut(problem), |_| true) {
        let time = if api.intake.is_stopping() { body::DRAINED_AT_A_STOP } else { body::DRAINED_FOR };
        tokio::spawn(body::drain(body, time));
    }
    answer.unwrap_or_else(|problem| problem::answer(&problem))
}

async fn gates(
    api: &Arc<Api>,
    door: &Door,
    found: Option<(&Place, String)>,
    head: http::request::Parts,
    body: &mut Incoming,
) -> Result<Answer, Problem> {
    let place = found.as_ref().map(|(place, _)| *place);
    let health = place.is_some_and(|place| place.path == HEALTH);
    let probe = health || place.is_some_and(|place| place.path == READINESS);

    // A stopping agent takes nothing in, but is not dead yet.
    if api.intake.is_stopping() && !health {
        return Err(stopping());
    }
    // A connection beyond the limit is for probes alone.
    if door.beyond && !probe {
        return Err(beyond::overloaded());
    }
    if !probe {
        host(&head, door.local.port.is_some())?;
    }
    // Requests wait here for their outcome: without a bound, so many of them that memory runs out.
    let _in_hand = api.in_hand.try_acquire().ok();
    if _in_hand.is_none() && !probe {
        return Err(Problem::new(Code::Overloaded, "The agent has as many requests in hand as it may hold."));
    }
    // Token: who may not ask is not even told which paths there are.
    if let Some(token) = api.token.as_ref().filter(|_| !place.is_some_and(|place| place.open)) {
        token.check(&head.headers).await?;
    }
    // Route and method.
    let (place, segment) = found.ok_or_else(|| Problem::new(Code::NotFound, "There is no such path."))?;
    let Some(route) = place.route(&head.method) else { return Ok(problem::answer_of_method(&place.allowed)) };
    if route.sends && !api.takes_sends {
        return Err(Problem::new(Code::NotFound, "This agent takes no sends: its `agent.role` is \"dispatch\"."));
    }
    // Whoever may wait for the carrier leaves room for those that do not.
    let waits = route.waits().then(|| door.capacity.wait(head.version));
    if let Some(None) = waits {
        return Err(Problem::new(Code::Overloaded, "As many requests wait for the carrier as the agent may hold."));
    }
    let call = Call {
        api: Arc::clone(api),
        capacity: Arc::clone(&door.capacity),
        query: Query::parse(head.uri.query()),
        headers: head.headers,
        segment,
    };
    match route.act {
        Act::Read(act) => act(call)?.await,
        Act::Write(limit, act) => {
            // Media type: a web page can send a form or plain text unasked, but not this.
            is_json(&call.headers)?;
            // Size: of this body, and of all bodies together. The share is held until the request is answered.
            let (bytes, _share) = tokio::select! {
                biased;
                read = body::read(body, limit, door.capacity.budget()) => read?,
                () = api.stops() => return Err(stopping()),
            };
            // The stop may have begun while the body was on its way.
            if api.intake.is_stopping() {
                return Err(stopping());
            }
            // JSON. Then, by each route in this order: members, idempotency, admission.
            let work = act(call, &json::object(&bytes)?)?;
            work.await
        }
    }
}

/// Refuses a request that does not say once for which host it is. A Unix socket has no name (`named` is false).
fn host(head: &http::request::Parts, named: bool) -> Result<(), Problem> {
    let hosts = head.headers.get_all(HOST).iter().count();
    // HTTP/2 has a pseudo-header for it, and HTTP/1.0 is older than the field (RFC 9112, section 3.2).
    let missing = hosts == 0 && head.version == Version::HTTP_11;
    if named && (missing || hosts > 1) {
        return Err(Problem::new(Code::InvalidParameter, "The request must have one `Host` field.").of("Host"));
    }
    Ok(())
}

fn stopping() -> Problem {
    Problem::new(Code::ShuttingDown, "The agent is stopping and takes no new requests.")
}

/// Whether the body did not come to its end and never will: the connection cannot be used again.
fn is_cut(problem: &Problem) -> bool {
    problem.code == Code::RequestTimeout
}

fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let refuse = |detail| Err(Problem::new(Code::UnsupportedMediaType, detail));
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(media_type), None) = (types.next(), types.next()) else {
        return refuse("The request must have one `Content-Type`.");
    };
    // Parameters such as `charset` change nothing: JSON is UTF-8 (RFC 8259, section 8.1).
    let essence = media_type.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    if !essence.trim_ascii().eq_ignore_ascii_case(b"application/json") {
        return refuse("The `Content-Type` is not application/json.");
    }
    let plain = |coding: &http::HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(CONTENT_ENCODING).iter().all(plain) {
        return refuse("The body is compressed; send it as it is.");
    }
    // hyper takes off the chunks and nothing else.
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let chunked = |coding: &http::HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    if !codings.next().is_none_or(chunked) || codings.next().is_some() {
        return refuse("The `Transfer-Encoding` is something else than `chunked`; send the body as it is.");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(headers: &[(http::HeaderName, &str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        is_json(&headers).is_ok()
    }

    #[test]
    fn only_json_that_is_not_compressed_is_read() {
        for good in ["application/json", "Application/JSON", "application/json; charset=utf-8", "application/json ;x=y"]
        {
            assert!(allowed(&[(CONTENT_TYPE, good)]), "{good}");
        }
        for bad in ["", "text/plain", "application/jsonp", "application/problem+json", "text/plain; application/json"] {
            assert!(!allowed(&[(CONTENT_TYPE, bad)]), "{bad}");
        }
        assert!(!allowed(&[]));
        assert!(!allowed(&[(CONTENT_TYPE, "application/json"), (CONTENT_TYPE, "application/json")]));
        assert!(allowed(&[(CONTENT_TYPE, "application/json"), (CONTENT_ENCODING, "identity")]));
        assert!(!allowed(&[(CONTENT_TYPE, "application/json"), (CONTENT_ENCODING, "gzip")]));
    }
}
