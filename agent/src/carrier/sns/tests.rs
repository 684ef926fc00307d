//! The carrier through the real SDK and real sockets, against a peer that answers, cuts, hangs and garbles on demand.

mod hostile;
mod late;
mod peer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_credential_types::provider::{ProvideCredentials, Result as Provided, SharedCredentialsProvider, future};
use sms_config::{Aws, AwsAccess, ClientOptions};

use self::peer::{Peer, Reply};
use super::Sns;
use crate::carrier::{Attempt, Carrier, PublishError, Signal, Verdict};
use crate::message::{
    Code, DltId, IdSource, MaxPrice, OriginationNumber, PhoneNumber, Sender, SenderId, Sms, SmsType, Text, Timestamp,
};

const ACCEPTED: &str = r#"<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>
<MessageId>94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult>
<ResponseMetadata><RequestId>f187a3c1-376f-11df-8963-01868b7c937a</RequestId></ResponseMetadata></PublishResponse>"#;

/// The retries are there to be overruled.
const OPTIONS: ClientOptions =
    ClientOptions { connect_timeout: Duration::from_millis(500), operation_attempt_timeout: None, retries: 3 };

fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>f187a3c1-376f-11df-8963-01868b7c937a</RequestId></ErrorResponse>"
    )
}

/// Gives keys out and counts how often it was asked for them.
#[derive(Clone, Debug, Default)]
struct Keys(Arc<AtomicU32>);

impl ProvideCredentials for Keys {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        self.0.fetch_add(1, Ordering::Relaxed);
        future::ProvideCredentials::ready(Ok(aws_credential_types::Credentials::new("AKIDTEST", "k", None, None, "t")))
    }
}

/// Never answers, as a metadata service behind a firewall.
#[derive(Debug)]
struct NoKeys;

impl ProvideCredentials for NoKeys {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(std::future::pending::<Provided>())
    }
}

async fn sns_with(endpoint: &str, keys: impl ProvideCredentials + 'static) -> Sns {
    let settings =
        Aws { region: Some("eu-central-1".to_owned()), endpoint_url: Some(endpoint.to_owned()), ..Aws::default() };
    let mut access = AwsAccess::load(&settings, OPTIONS).await.unwrap();
    access.config = access.config.into_builder().credentials_provider(SharedCredentialsProvider::new(keys)).build();
    Sns::new(&access)
}

async fn sns(endpoint: &str) -> Sns {
    sns_with(endpoint, Keys::default()).await
}

fn sms() -> Sms {
    Sms {
        to: PhoneNumber::parse("+12065550100").unwrap(),
        text: Text::parse("Your code is 123456 & more".to_owned()).unwrap(),
        kind: SmsType::Transactional,
        sender: Sender::Account,
        max_price_usd: None,
        entity_id: None,
        template_id: None,
    }
}

async fn publish(sns: &Sns, sms: &Sms) -> Result<String, PublishError> {
    publish_within(Duration::from_secs(20), sns, sms).await
}

async fn publish_within(timeout: Duration, sns: &Sns, sms: &Sms) -> Result<String, PublishError> {
    let id = IdSource::new().next(Timestamp::from_millis(1_795_464_000_000));
    sns.publish(Attempt { id, number: 1, sms, timeout, deadline: None }).await
}

async fn met(replies: impl IntoIterator<Item = Reply>) -> PublishError {
    let peer = Peer::start(replies).await;
    let failed = publish_within(Duration::from_secs(1), &sns(&peer.url).await, &sms()).await.unwrap_err();
    assert_eq!(peer.requests().len(), 1, "it must be sent once and never again");
    failed
}

#[tokio::test]
async fn an_accepted_message_brings_the_id_and_goes_out_in_the_wire_form_of_sns() {
    let peer = Peer::start([Reply::answer(200, ACCEPTED)]).await;
    let sent = Sms {
        sender: Sender::Id(SenderId::parse("ACME").unwrap()),
        max_price_usd: Some(MaxPrice::parse("0.50").unwrap()),
        entity_id: Some(DltId::parse("1101").unwrap()),
        template_id: Some(DltId::parse("1107").unwrap()),
        ..sms()
    };
    assert_eq!(publish(&sns(&peer.url).await, &sent).await.unwrap(), "94f20ce6-13c5-43a0-9a9e-ca52d816e90b");

    let request = &peer.requests()[0];
    assert!(request.head.starts_with("POST / HTTP/1.1\r\n"), "{}", request.head);
    assert!(request.head.contains("content-type: application/x-www-form-urlencoded\r\n"), "{}", request.head);
    assert!(request.head.contains(&format!("content-length: {}\r\n", request.body.len())), "{}", request.head);
    assert!(request.head.contains("/eu-central-1/sns/aws4_request, SignedHeaders="), "{}", request.head);
    let mut members = request.members();
    // The SDK writes the attributes in the order of a hash map.
    let mut attributes = peer::take_attributes(&mut members);
    attributes.sort();
    assert_eq!(
        members,
        [
            ("Action", "Publish"),
            ("Version", "2010-03-31"),
            ("PhoneNumber", "+12065550100"),
            ("Message", "Your code is 123456 & more"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(
        attributes,
        [
            "AWS.MM.SMS.EntityId String 1101",
            "AWS.MM.SMS.TemplateId String 1107",
            "AWS.SNS.SMS.MaxPrice Number 0.50",
            "AWS.SNS.SMS.SMSType String Transactional",
            "AWS.SNS.SMS.SenderID String ACME",
        ]
    );
}

#[tokio::test]
async fn the_type_is_sent_with_a_plain_message_and_an_origination_number_takes_the_place_of_a_sender_id() {
    let peer = Peer::start([Reply::answer(200, ACCEPTED)]).await;
    let sender = Sender::Number(OriginationNumber::parse("+18445550100").unwrap());
    let sent = Sms { sender, kind: SmsType::Promotional, ..sms() };
    publish(&sns(&peer.url).await, &sent).await.unwrap();
    let mut attributes = peer::take_attributes(&mut peer.requests()[0].members());
    attributes.sort();
    assert_eq!(
        attributes,
        ["AWS.MM.SMS.OriginationNumber String +18445550100", "AWS.SNS.SMS.SMSType String Promotional"]
    );
}

#[tokio::test]
async fn one_connection_serves_one_message_after_another() {
    let peer = Peer::start([Reply::answer(200, ACCEPTED), Reply::answer(200, ACCEPTED)]).await;
    let sns = sns(&peer.url).await;
    publish(&sns, &sms()).await.unwrap();
    publish(&sns, &sms()).await.unwrap();
    assert_eq!((peer.requests().len(), peer.connections()), (2, 1));
}

#[tokio::test]
async fn a_refusal_carries_code_and_masked_words_of_sns_and_its_request_id() {
    let words = "Invalid parameter: PhoneNumber Reason: +12065550100 is not valid to publish to";
    let failed = met([Reply::answer(400, &error("InvalidParameter", words))]).await;
    assert_eq!((failed.verdict, failed.signal), (Verdict::Rejected, Signal::None));
    assert_eq!(failed.problem.code, Code::CarrierRejected);
    assert!(failed.problem.detail.starts_with("InvalidParameter: Invalid parameter: PhoneNumber"));
    assert!(!format!("{failed:?}").contains("2065550100"), "{failed:?}");
    assert_eq!(failed.problem.aws_request_id.as_deref(), Some(peer::REQUEST_ID));
    let unreadable = met([Reply::answer(400, "<html>Bad Request</html>")]).await;
    assert_eq!((unreadable.verdict, unreadable.problem.code), (Verdict::Rejected, Code::CarrierRejected));
}

#[tokio::test]
async fn throttling_by_any_of_its_names_was_not_sent() {
    for (status, code) in [(429, "Throttled"), (400, "Throttling"), (400, "KMSThrottling"), (503, "Throttling")] {
        let failed = met([Reply::answer(status, &error(code, "Rate exceeded"))]).await;
        assert_eq!((failed.verdict, failed.problem.code), (Verdict::NotSent, Code::CarrierThrottled), "{code}");
    }
}

#[tokio::test]
async fn errors_of_the_server_and_answers_that_cannot_be_read_are_unknown() {
    for reply in [
        Reply::answer(500, &error("InternalError", "")),
        Reply::answer(503, "<html>Service Unavailable</html>"),
        Reply::answer(503, &error("ServiceUnavailable", "")),
        Reply::answer(200, "<html>a proxy's own page</html>"),
        Reply::answer(200, "<PublishResponse><PublishResult></PublishResult></PublishResponse>"),
    ] {
        let failed = met([reply.clone()]).await;
        assert_eq!((failed.verdict, failed.problem.code), (Verdict::Unknown, Code::OutcomeUnknown), "{reply:?}");
    }
}

#[tokio::test]
async fn silence_after_the_request_went_out_is_unknown() {
    // An answer that broke off was one: SNS was reached.
    for (reply, signal) in [
        (Reply::Cut, Signal::Unreachable),
        (Reply::Hang, Signal::Unreachable),
        (Reply::CutWithin, Signal::None),
        (Reply::Long, Signal::None),
    ] {
        let failed = met([reply.clone()]).await;
        assert_eq!((failed.verdict, failed.signal), (Verdict::Unknown, signal), "{reply:?}");
        assert_eq!(failed.problem.code, Code::OutcomeUnknown, "{reply:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_reached_was_not_sent() {
    let closed = Peer::closed().await;
    let no_tls = Peer::start([Reply::Cut]).await;
    let silent = Peer::silent().await;
    let endpoints = [
        closed,
        "http://sns.invalid".to_owned(),
        no_tls.url.replace("http:", "https:"),
        silent.url.replace("http:", "https:"),
    ];
    for endpoint in endpoints {
        let failed = publish(&sns(&endpoint).await, &sms()).await.unwrap_err();
        assert_eq!((failed.verdict, failed.signal), (Verdict::NotSent, Signal::Unreachable), "{endpoint}: {failed:?}");
        assert_eq!(failed.problem.code, Code::CarrierUnavailable, "{endpoint}");
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_late_leave_the_message_unsent() {
    let peer = Peer::start([]).await;
    let sns = sns_with(&peer.url, NoKeys).await;
    let failed = publish_within(Duration::from_secs(3), &sns, &sms()).await.unwrap_err();
    assert_eq!((failed.verdict, failed.signal), (Verdict::NotSent, Signal::Unreachable));
    assert_eq!(failed.problem.code, Code::CarrierUnavailable);
    assert!(peer.requests().is_empty());
}

#[tokio::test]
async fn credentials_that_cannot_be_had_leave_the_message_unsent_and_the_carrier_not_ready() {
    let settings = Aws {
        region: Some("eu-central-1".to_owned()),
        profile: Some("sms-agent-no-such-profile".to_owned()),
        endpoint_url: Some(Peer::closed().await),
        ..Aws::default()
    };
    let sns = Sns::new(&AwsAccess::load(&settings, OPTIONS).await.unwrap());
    let failed = publish(&sns, &sms()).await.unwrap_err();
    assert_eq!((failed.verdict, failed.signal), (Verdict::NotSent, Signal::Unreachable));
    assert!(failed.problem.detail.contains("credential"), "{}", failed.problem.detail);
    assert_eq!(failed.problem.code, Code::CarrierUnavailable);
    let missing = sns.ready().await.unwrap_err();
    assert_eq!(missing.code, Code::CarrierUnavailable);
    assert!(missing.detail.contains("No AWS credentials"), "{}", missing.detail);
}

#[tokio::test]
async fn credentials_that_sns_does_not_know_are_loaded_anew_for_the_next_attempt() {
    let peer = Peer::start([
        Reply::answer(200, ACCEPTED),
        Reply::answer(403, &error("ExpiredToken", "The security token included in the request is expired")),
        Reply::answer(200, ACCEPTED),
    ])
    .await;
    let keys = Keys::default();
    let sns = sns_with(&peer.url, keys.clone()).await;
    publish(&sns, &sms()).await.unwrap();
    let failed = publish(&sns, &sms()).await.unwrap_err();
    assert_eq!((failed.verdict, failed.signal), (Verdict::NotSent, Signal::Refused));
    assert_eq!((failed.problem.code, keys.0.load(Ordering::Relaxed)), (Code::CarrierUnauthorized, 1));
    publish(&sns, &sms()).await.unwrap();
    assert_eq!(keys.0.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn opt_outs_are_asked_of_sns_and_a_failure_is_one_that_may_be_repeated() {
    let answer = "<CheckIfPhoneNumberIsOptedOutResponse><CheckIfPhoneNumberIsOptedOutResult><isOptedOut>true</isOptedOut>\
                  </CheckIfPhoneNumberIsOptedOutResult></CheckIfPhoneNumberIsOptedOutResponse>";
    let peer = Peer::start([
        Reply::answer(200, answer),
        Reply::answer(500, &error("InternalError", "")),
        Reply::answer(429, &error("Throttled", "")),
    ])
    .await;
    let sns = sns(&peer.url).await;
    let number = PhoneNumber::parse("+12065550100").unwrap();
    assert_eq!(sns.opted_out(&number).await, Ok(true));
    assert_eq!(sns.opted_out(&number).await.unwrap_err().code, Code::CarrierUnavailable);
    assert_eq!(sns.opted_out(&number).await.unwrap_err().code, Code::CarrierThrottled);
    let asked = &peer.requests()[0];
    assert!(asked.members().contains(&("phoneNumber".to_owned(), "+12065550100".to_owned())), "{:?}", asked.members());
}
