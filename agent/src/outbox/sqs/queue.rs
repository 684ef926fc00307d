//! The five calls to SQS, and what their failures mean.
//!
//! In flow texts and receipts; out flow answers one by one, since a batch may fail in part. Each call has its own
//! time-out and is made once: the rooms above know better when it is worth it again.

use std::str::FromStr;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{Region, StalledStreamProtectionConfig};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message, MessageAttributeValue,
    MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use sms_config::foreign::{self, ServiceError};
use sms_config::{AwsAccess, Credentials, Incoming, Outgoing, QueueUrl, TimedOut, within};

use super::date::QueueDate;
use crate::message::WallTime;

/// Messages of one call, by SQS's own limit.
pub(super) const BATCH: usize = 10;
/// How long a call may take that waits for nothing.
const CALL: Duration = Duration::from_secs(5);
/// How long a receive waits for messages, at SQS's most, and how long for its answer.
const POLL_SECONDS: i32 = 20;
const POLL: Duration = Duration::from_secs(25);
/// Bytes of an answer: ten messages of SQS's largest size, and what JSON makes of them.
const LONGEST_ANSWER: usize = 24 * 1024 * 1024;
/// Characters of SQS's name of a message. SQS's are UUIDs; thousands of names are kept.
const LONGEST_NAME: usize = 100;
/// The attribute that carries the trace.
const TRACE: &str = "traceparent";

/// One queue.
#[derive(Debug)]
pub(super) struct Queue {
    client: Client,
    url: String,
    region: String,
    credentials: Credentials,
}

/// What `agent.queue_url` names is no queue that could be called.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "agent.queue_url (SMS_AGENT__QUEUE_URL) has a host that is none of SQS's at AWS: correct it \
     (https://sqs.<region>.amazonaws.com/<account>/<name>) or, for a stand-in, say where it listens by aws.endpoint_url \
     or AWS_ENDPOINT_URL_SQS"
)]
pub struct NoQueue;

/// A call that brought no answer, or a bad one.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    /// What is wrong, in words that may be shown.
    pub(super) words: String,
    /// Whether it is certain that nothing was done.
    pub(super) certain: bool,
    /// Whether SQS was reached: it answered, or takes its time.
    pub(super) reached: bool,
}

impl Trouble {
    /// SQS did not do what it was asked for, and said so.
    pub(super) fn refused(words: &str) -> Self {
        Self { words: words.to_owned(), certain: true, reached: true }
    }
}

/// One message as it was received.
#[derive(Clone, Debug)]
pub(super) struct Received {
    /// What SQS calls it.
    pub(super) name: String,
    /// The right to change or delete it.
    pub(super) receipt: String,
    /// Its text.
    pub(super) text: String,
    /// The trace that it came with.
    pub(super) trace: Option<String>,
    /// How often it was taken, this time included.
    pub(super) receives: u32,
    /// How long it lay in the queue, by SQS's clock.
    pub(super) waited: Duration,
}

/// What the queue says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nature {
    /// How long a message that was taken is hidden from the others.
    pub(super) visibility: Duration,
    /// Whether what cannot be settled goes to a dead-letter queue.
    pub(super) redrives: bool,
}

impl Queue {
    /// The queue of that URL, with the connect time-out and HTTP client of `access`, and in the queue's own region: in
    /// another one SQS does not know it, and SMS may have to go out of another one.
    ///
    /// # Errors
    /// [`NoQueue`].
    pub(super) fn new(access: &AwsAccess, url: &QueueUrl) -> Result<Self, NoQueue> {
        let elsewhere = access.has_endpoint_for("SQS");
        if url.region().is_none() && !elsewhere {
            return Err(NoQueue);
        }
        let region = url.region().map_or_else(|| access.region.clone(), str::to_owned);
        let mut config = aws_sdk_sqs::config::Builder::from(&access.config);
        if let Some(endpoint) = url.endpoint().filter(|_| !elsewhere) {
            config = config.endpoint_url(endpoint);
        }
        let config = config
            .region(Region::new(region.clone()))
            .retry_config(RetryConfig::disabled())
            // A receive that waits for messages is silent for as long as there are none.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .interceptor(Incoming(LONGEST_ANSWER))
            .build();
        let (url, credentials) = (url.as_str().to_owned(), access.credentials.clone());
        Ok(Self { client: Client::from_conf(config), url, region, credentials })
    }

    /// Asks what kind of queue it is.
    pub(super) async fn nature(&self) -> Result<Nature, Trouble> {
        let call = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(QueueAttributeName::VisibilityTimeout)
            .attribute_names(QueueAttributeName::RedrivePolicy)
            .send();
        let output = self.answer(CALL, call, None).await?;
        let attribute = |name| output.attributes.as_ref().and_then(|all| all.get(&name));
        let seconds = attribute(QueueAttributeName::VisibilityTimeout).and_then(|text| text.parse().ok());
        Ok(Nature {
            // Less than a second would be over before anything could be done.
            visibility: Duration::from_secs(seconds.unwrap_or(30).max(1)),
            redrives: attribute(QueueAttributeName::RedrivePolicy).is_some_and(|policy| !policy.is_empty()),
        })
    }

    /// Sends up to ten texts with their traces; answers which SQS took (`Ok`) or refused, by their place. One that it
    /// says nothing of is not among them.
    pub(super) async fn send(
        &self,
        letters: &[(String, Option<String>)],
    ) -> Result<Vec<(usize, Result<(), String>)>, Trouble> {
        let mut entries = Vec::with_capacity(letters.len());
        for (place, (text, trace)) in letters.iter().enumerate() {
            let mut entry = SendMessageBatchRequestEntry::builder().id(place.to_string()).message_body(text);
            if let Some(trace) = trace {
                let value = MessageAttributeValue::builder().data_type("String").string_value(trace).build();
                entry = entry.message_attributes(TRACE, value.map_err(defect)?);
            }
            entries.push(entry.build().map_err(defect)?);
        }
        let outgoing = Outgoing::default();
        let call = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let call = call.customize().interceptor(outgoing.clone()).send();
        let output = self.answer(CALL, call, Some(&outgoing)).await?;
        let taken = output.successful.iter().filter_map(|one| Some((one.id.parse().ok()?, Ok(()))));
        let refused = output.failed.iter().filter_map(|one| Some((one.id.parse().ok()?, Err(refusal(&one.code)))));
        Ok(taken.chain(refused).collect())
    }

    /// Takes up to `most` messages; with `wait` it waits for some, and takes none if there are none for a while.
    pub(super) async fn receive(&self, most: usize, wait: bool, now: WallTime) -> Result<Vec<Received>, Trouble> {
        let date = QueueDate::default();
        let (seconds, time) = if wait { (POLL_SECONDS, POLL) } else { (0, CALL) };
        let call = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(i32::try_from(most.clamp(1, BATCH)).unwrap_or(1))
            .wait_time_seconds(seconds)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateFirstReceiveTimestamp)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_attribute_names(TRACE)
            .customize()
            .interceptor(date.clone())
            .send();
        let output = self.answer(time, call, None).await?;
        let now = date.read().unwrap_or(now);
        Ok(output.messages.unwrap_or_default().into_iter().filter_map(|message| received(message, now)).collect())
    }

    /// Hides up to ten messages from the others for so many seconds from now on; answers whether that worked, one by one.
    pub(super) async fn hide(&self, receipts: &[(String, i32)]) -> Result<Vec<bool>, Trouble> {
        let mut entries = Vec::with_capacity(receipts.len());
        for (place, (receipt, seconds)) in receipts.iter().enumerate() {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(place.to_string());
            entries.push(entry.receipt_handle(receipt).visibility_timeout(*seconds).build().map_err(defect)?);
        }
        let call = self.client.change_message_visibility_batch().queue_url(&self.url).set_entries(Some(entries));
        let output = self.answer(CALL, call.send(), None).await?;
        let refused: Vec<_> = output.failed.iter().map(|one| one.id.as_str()).collect();
        Ok((0..receipts.len()).map(|place| !refused.contains(&place.to_string().as_str())).collect())
    }

    /// Deletes up to ten messages; answers whether that worked, one by one.
    pub(super) async fn delete(&self, receipts: &[String]) -> Result<Vec<bool>, Trouble> {
        let mut entries = Vec::with_capacity(receipts.len());
        for (place, receipt) in receipts.iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder().id(place.to_string()).receipt_handle(receipt);
            entries.push(entry.build().map_err(defect)?);
        }
        let call = self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let output = self.answer(CALL, call.send(), None).await?;
        let refused: Vec<_> = output.failed.iter().map(|one| one.id.as_str()).collect();
        Ok((0..receipts.len()).map(|place| !refused.contains(&place.to_string().as_str())).collect())
    }

    async fn answer<T, E>(
        &self,
        time: Duration,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        outgoing: Option<&Outgoing>,
    ) -> Result<T, Trouble>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let unsent = || outgoing.is_some_and(|outgoing| !outgoing.began());
        match within(time, call).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) => {
                if matches!(error.code(), Some("ExpiredToken" | "InvalidClientTokenId" | "UnrecognizedClientException"))
                {
                    self.credentials.reload();
                }
                let refused = error.raw_response().is_some_and(|answer| answer.status().is_client_error());
                let reached = error.raw_response().is_some();
                let words = ServiceError::of("SQS", &error).in_region(&self.region).to_string();
                Err(Trouble { words, certain: refused || unsent(), reached })
            }
            Err(TimedOut) => {
                let words = format!("no answer from SQS within {}", humantime::format_duration(time));
                Err(Trouble { words, certain: unsent(), reached: true })
            }
        }
    }
}

fn received(message: Message, now: WallTime) -> Option<Received> {
    fn number<T: FromStr>(message: &Message, name: &MessageSystemAttributeName) -> Option<T> {
        message.attributes.as_ref()?.get(name)?.parse().ok()
    }
    let receives = number(&message, &MessageSystemAttributeName::ApproximateReceiveCount).unwrap_or(1);
    let sent = number(&message, &MessageSystemAttributeName::SentTimestamp).map(WallTime::from_millis);
    // The first time it is taken, SQS says to the millisecond when that was.
    let first = number(&message, &MessageSystemAttributeName::ApproximateFirstReceiveTimestamp);
    let taken = first.filter(|_| receives == 1).map_or(now, WallTime::from_millis);
    let trace = message.message_attributes.as_ref().and_then(|all| all.get(TRACE)?.string_value.clone());
    Some(Received {
        name: message.message_id?.chars().take(LONGEST_NAME).collect(),
        receipt: message.receipt_handle?,
        text: message.body.unwrap_or_default(),
        trace,
        receives,
        waited: sent.map_or(Duration::ZERO, |sent| taken.since(sent)),
    })
}

/// The SDK's builders miss a part; none is missing.
fn defect(_: aws_sdk_sqs::error::BuildError) -> Trouble {
    Trouble::refused("a call could not be built, which is a defect of the agent")
}

/// Why SQS refused one message of a batch.
fn refusal(code: &str) -> String {
    foreign::error_code(code).unwrap_or("a code that is not shown").to_owned()
}
