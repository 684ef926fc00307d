//! The SNS carrier against a program that somebody else wrote.

#![allow(clippy::unwrap_used, reason = "all of this is test code, outside of test functions too")]

#[path = "../../config/tests/peers/mod.rs"]
mod peers;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use peers::Moto;
use sms_agent::carrier::sns::Sns;
use sms_agent::carrier::{Attempt, Carrier};
use sms_agent::message::{IdSource, PhoneNumber, Sender, SenderId, Sms, SmsType, Text, Timestamp};
use sms_config::{Aws, AwsAccess, ClientOptions};

async fn sns(moto: &Moto) -> Sns {
    let settings =
        Aws { region: Some("us-east-1".to_owned()), endpoint_url: Some(moto.endpoint().to_owned()), ..Aws::default() };
    let options =
        ClientOptions { connect_timeout: Duration::from_secs(2), operation_attempt_timeout: None, retries: 0 };
    let mut access = AwsAccess::load(&settings, options).await.unwrap();
    let keys = SharedCredentialsProvider::new(Credentials::new("testing", "testing", None, None, "test"));
    access.config = access.config.into_builder().credentials_provider(keys).build();
    Sns::new(&access)
}

#[tokio::test]
async fn moto_takes_a_message_under_the_id_that_we_are_told() {
    let moto = Moto::start();
    let sms = Sms {
        to: PhoneNumber::parse("+12065550100").unwrap(),
        text: Text::parse("Grüße & 👋".to_owned()).unwrap(),
        kind: SmsType::Transactional,
        sender: Sender::Id(SenderId::parse("ACME").unwrap()),
        max_price_usd: None,
        entity_id: None,
        template_id: None,
    };
    let id = IdSource::new().next(Timestamp::from_millis(1_795_464_000_000));
    let attempt = Attempt { id, number: 1, sms: &sms, timeout: Duration::from_secs(20), deadline: None };
    let message_id = sns(&moto).await.publish(attempt).await.unwrap();

    let sent = moto.sent_sms();
    assert_eq!(sent.len(), 1);
    assert_eq!((&sent[0].message_id, sent[0].phone_number.as_str()), (&message_id, "+12065550100"));
    assert_eq!(sent[0].message, "Grüße & 👋");
}

#[tokio::test]
async fn moto_tells_who_has_opted_out() {
    let moto = Moto::start();
    let sns = sns(&moto).await;
    let (out, not) = (PhoneNumber::parse("+12065550199").unwrap(), PhoneNumber::parse("+12065550100").unwrap());
    assert_eq!((sns.opted_out(&out).await, sns.opted_out(&not).await), (Ok(true), Ok(false)));
}
