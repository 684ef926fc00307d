//! Answers that look like SNS's and are not, and faults of our own on the way to it.

use super::peer::{Peer, Reply};
use super::*;

const ID: &str = "94f20ce6-13c5-43a0-9a9e-ca52d816e90b";

fn accepted(result: &str) -> String {
    format!("<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">{result}</PublishResponse>")
}

#[tokio::test]
async fn an_id_that_cannot_be_one_or_a_body_that_is_cut_proves_nothing() {
    let id = |id: &str| accepted(&format!("<PublishResult><MessageId>{id}</MessageId></PublishResult>"));
    let whole = id(ID);
    for body in [
        id(""),
        id("   "),
        id(&format!(" {ID} ")),
        id(&format!("{ID}\n")),
        id("94f2 0ce6"),
        id("94f2&#9;0ce6"),
        id(&"a".repeat(100_000)),
        "<PublishResponse><PublishResult><MessageId>94f20ce6-1".to_owned(),
        whole.trim_end_matches('>').to_owned(),
        whole.replace("</PublishResult></PublishResponse>", ""),
        format!("{whole}{whole}"),
    ] {
        let failed = met([Reply::answer(200, &body)]).await;
        let shown: String = body.chars().take(120).collect();
        assert_eq!((failed.verdict, failed.problem.code), (Verdict::Unknown, Code::OutcomeUnknown), "{shown}");
        assert!(failed.problem.detail.len() < 200, "{}", failed.problem.detail);
    }
}

/// A head with these lines, and a good answer behind it.
fn wire(head: &str) -> Vec<u8> {
    let body = accepted(&format!("<PublishResult><MessageId>{ID}</MessageId></PublishResult>"));
    format!("{head}\r\n\r\n{body}").replace("LENGTH", &body.len().to_string()).into_bytes()
}

#[tokio::test]
async fn an_acceptance_is_read_in_every_form_that_http_allows() {
    let body = accepted(&format!("<PublishResult><MessageId>{ID}</MessageId></PublishResult>"));
    let (one, other) = body.split_at(20);
    let chunks = format!("{:x}\r\n{one}\r\n{:x}\r\n{other}\r\n0\r\n\r\n", one.len(), other.len());
    for reply in [
        wire("HTTP/1.1 200 OK\r\ncontent-length: LENGTH"),
        wire("HTTP/1.1 200 OK\r\nconnection: close"),
        wire("HTTP/1.0 200 OK\r\ncontent-length: LENGTH"),
        wire("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: LENGTH"),
        wire("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: LENGTH"),
        wire("HTTP/1.1 201 Created\r\ncontent-length: LENGTH"),
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}").into_bytes(),
    ] {
        let peer = Peer::start([Reply::Raw(reply.clone())]).await;
        let sent = publish(&sns(&peer.url).await, &sms()).await;
        assert_eq!(sent.as_deref().ok(), Some(ID), "{}", String::from_utf8_lossy(&reply));
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_is_none_proves_nothing_and_does_not_say_that_nothing_was_sent() {
    let gzip =
        [b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n".as_slice(), &[0x1f, 0x8b, 8, 0]];
    let header = "x".repeat(900_000);
    for reply in [
        Vec::new(),
        b"HTTP/1.1 200 OK\r\nContent-".to_vec(),
        b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(),
        b"220 mail ESMTP\r\n".to_vec(),
        wire(&format!("HTTP/1.1 200 OK\r\nx: {header}\r\ncontent-length: LENGTH")),
        wire("HTTP/1.1 200 OK\r\ncontent-length: -1"),
        wire("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 7"),
        wire("HTTP/1.1 200 OK\r\ncontent-length: 40"),
        wire("HTTP/1.1 200 OK\r\ncontent-length: 4000"),
        wire("HTTP/1.0 200 OK\r\ncontent-length: 4000"),
        wire("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked"),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n<Publ\r\n".to_vec(),
        wire("HTTP/1.1 101 Switching Protocols"),
        b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        wire("HTTP/1.1 600 Beyond\r\ncontent-length: LENGTH"),
        wire("HTTP/1.1 999 Beyond\r\ncontent-length: LENGTH"),
        wire("HTTP/1.1 502 Bad Gateway\r\ncontent-length: LENGTH"),
        wire("HTTP/1.1 504 Gateway Timeout\r\ncontent-length: LENGTH"),
        gzip.concat(),
    ] {
        let shown: String = String::from_utf8_lossy(&reply).chars().take(120).collect();
        let failed = met([Reply::Raw(reply)]).await;
        assert_eq!((failed.verdict, failed.problem.code), (Verdict::Unknown, Code::OutcomeUnknown), "{shown}");
        let detail = failed.problem.detail;
        assert!(!detail.contains("not be sent") && !detail.contains("No connection"), "{shown}: {detail}");
    }
}

#[tokio::test]
async fn an_error_of_a_proxy_in_front_of_sns_counts_by_its_status() {
    use Verdict::{NotSent, Rejected, Unknown};
    for (status, verdict, code) in [
        (307, Unknown, Code::OutcomeUnknown),
        (401, Rejected, Code::CarrierUnauthorized),
        (403, Rejected, Code::CarrierUnauthorized),
        (404, Rejected, Code::CarrierError),
        (407, Rejected, Code::CarrierError),
        (408, Unknown, Code::OutcomeUnknown),
        (413, Rejected, Code::CarrierError),
        (421, Rejected, Code::CarrierError),
        (429, NotSent, Code::CarrierThrottled),
    ] {
        for page in ["", "<html><body>+12065550100 is blocked here</body></html>"] {
            let failed = met([Reply::answer(status, page)]).await;
            assert_eq!((failed.verdict, failed.problem.code), (verdict, code), "{status} {page}");
            assert!(!failed.problem.detail.contains("2065550100"), "{}", failed.problem.detail);
        }
    }
}

#[tokio::test]
async fn a_well_formed_acceptance_is_read_whatever_stands_before_the_result() {
    let result = format!("<PublishResult><MessageId>{ID}</MessageId></PublishResult>");
    for body in [
        accepted(&format!("<Extra/>{result}")),
        accepted(&format!("<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>{result}")),
        accepted(&format!("<!-- a -->\n<Extra><MessageId>x</MessageId></Extra>{result}<Extra/>")),
    ] {
        let peer = Peer::start([Reply::answer(200, &body)]).await;
        assert_eq!(publish(&sns(&peer.url).await, &sms()).await.unwrap(), ID, "{body}");
    }
}

#[tokio::test]
async fn the_code_of_a_refusal_is_found_whatever_stands_before_it() {
    for body in [
        "<ErrorResponse><RequestId>r</RequestId><Error><Message>m</Message><Code>RequestThrottled</Code></Error></ErrorResponse>",
        "<ErrorResponse><Extra/><Error><Code>SlowDown</Code></Error></ErrorResponse>",
        "<ErrorResponse><Error><Detail><Code>InvalidParameter</Code></Detail><Code>RequestLimitExceeded</Code></Error></ErrorResponse>",
    ] {
        let failed = met([Reply::answer(400, body)]).await;
        assert_eq!((failed.verdict, failed.problem.code), (Verdict::NotSent, Code::CarrierThrottled), "{body}");
    }
}

#[tokio::test]
async fn an_answer_about_an_opt_out_that_does_not_say_it_is_an_error_and_not_a_no() {
    let result = |inner: &str| {
        format!(
            "<CheckIfPhoneNumberIsOptedOutResponse><Extra/><CheckIfPhoneNumberIsOptedOutResult>{inner}\
             </CheckIfPhoneNumberIsOptedOutResult></CheckIfPhoneNumberIsOptedOutResponse>"
        )
    };
    let number = PhoneNumber::parse("+12065550100").unwrap();
    for (body, answer) in [
        (result(""), Err(Code::CarrierError)),
        (result("<isOptedOut></isOptedOut>"), Err(Code::CarrierError)),
        (result("<isOptedOut>maybe</isOptedOut>"), Err(Code::CarrierError)),
        (result("<isOptedOut>false</isOptedOut>"), Ok(false)),
        (result("<isOptedOut>true</isOptedOut>"), Ok(true)),
        (result("<isOptedOut>false").replace("</", ""), Err(Code::CarrierUnavailable)),
    ] {
        let peer = Peer::start([Reply::answer(200, &body)]).await;
        let got = sns(&peer.url).await.opted_out(&number).await.map_err(|problem| problem.code);
        assert_eq!(got, answer, "{body}");
    }
}

/// Keys of which the SDK makes a header that is none.
#[derive(Debug)]
struct BrokenKeys;

impl ProvideCredentials for BrokenKeys {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Ok(aws_credential_types::Credentials::new(
            "AKID\nTEST",
            "k",
            None,
            None,
            "t",
        )))
    }
}

/// A source of keys that breaks down.
#[derive(Debug)]
struct PanickingKeys;

impl ProvideCredentials for PanickingKeys {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { panic!("+12065550100") })
    }
}

#[tokio::test]
async fn what_breaks_down_before_the_request_goes_out_leaves_the_message_unsent() {
    let peer = Peer::start([]).await;
    for sns in [sns_with(&peer.url, BrokenKeys).await, sns_with(&peer.url, PanickingKeys).await] {
        let failed = publish(&sns, &sms()).await.unwrap_err();
        assert_eq!((failed.verdict, failed.signal), (Verdict::NotSent, Signal::Unreachable), "{failed:?}");
        assert!(!format!("{failed:?}").contains("2065550100"), "{failed:?}");
    }
    assert!(peer.requests().is_empty());
}

#[tokio::test]
async fn a_knock_tells_whether_sns_knows_the_account_and_nothing_else() {
    let attributes = "<GetSMSAttributesResponse><GetSMSAttributesResult><attributes/></GetSMSAttributesResult>\
                      </GetSMSAttributesResponse>";
    for (reply, signal) in [
        (Reply::answer(200, attributes), None),
        (Reply::answer(200, "<html>"), Some(Signal::None)),
        (Reply::answer(403, &error("AuthorizationError", "not authorized")), Some(Signal::NotPermitted)),
        (Reply::answer(429, &error("Throttled", "")), Some(Signal::None)),
        (Reply::answer(403, &error("InvalidClientTokenId", "")), Some(Signal::Refused)),
        (Reply::Cut, Some(Signal::Unreachable)),
    ] {
        let peer = Peer::start([reply.clone()]).await;
        let keys = Keys::default();
        let sns = sns_with(&peer.url, keys.clone()).await;
        assert_eq!(sns.knock().await.err().map(|error| error.signal), signal, "{reply:?}");
        let asked = peer.requests();
        assert_eq!(asked.len(), 1);
        assert!(asked[0].members().contains(&("Action".to_owned(), "GetSMSAttributes".to_owned())), "{asked:?}");
        assert!(!asked[0].body.contains("PhoneNumber"), "{asked:?}");
    }
}
