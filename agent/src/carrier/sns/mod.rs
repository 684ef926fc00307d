//! Amazon SNS as the carrier.
//!
//! In flows one SMS; out flows SNS's message id, or what its refusal or silence means. One client serves the process
//! for its life, so that connections are used again. It never repeats a call: SNS has no token by which it would know
//! a repetition, and would send a second SMS.

mod account;
mod answer;
mod attributes;
mod verdict;

#[cfg(test)]
mod tests;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use aws_sdk_sns::Client;
use aws_sdk_sns::config::StalledStreamProtectionConfig;
use aws_sdk_sns::config::retry::RetryConfig;
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sms_config::foreign::ServiceError;
use sms_config::{AwsAccess, Credentials, Incoming, Outgoing, TimedOut, within};

pub use self::account::account;
use self::answer::{ATTRIBUTES, Answer, IS_OPTED_OUT, MESSAGE_ID, Unreadable, is_message_id};
use self::verdict::{Meaning, Met, meaning};
use super::{Attempt, Carrier, PublishError, Signal, Verdict};
use crate::message::{Code, PhoneNumber, Problem, sentence};

/// How long a question that is not a publish may take.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of an answer; a list of a hundred opted-out numbers has 10 KiB.
const LONGEST_ANSWER: usize = 256 * 1024;

/// Publishes through Amazon SNS.
#[derive(Debug)]
pub struct Sns {
    client: Client,
    credentials: Credentials,
    region: String,
}

impl Sns {
    /// The carrier of one account and region. Connect time-out and HTTP client are those of `access`; retries are
    /// off, whatever it says.
    pub fn new(access: &AwsAccess) -> Self {
        let config = aws_sdk_sns::config::Builder::from(&access.config)
            .retry_config(RetryConfig::disabled())
            // Requests and answers of a kilobyte need no watch over their throughput; every call has its time-out.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .interceptor(Incoming(LONGEST_ANSWER))
            .build();
        Self {
            client: Client::from_conf(config),
            credentials: access.credentials.clone(),
            region: access.region.clone(),
        }
    }

    async fn send(&self, attempt: Attempt<'_>) -> Result<String, PublishError> {
        let outgoing = attempt.deadline.cloned().map_or_else(Outgoing::default, |deadline| {
            // The connection or the credentials may take long, and the machine may sleep meanwhile.
            Outgoing::unless(move || deadline.is_over())
        });
        let answer = Answer::at(MESSAGE_ID);
        let call = async {
            let mut publish =
                self.client.publish().phone_number(attempt.sms.to.as_str()).message(attempt.sms.text.as_str());
            for (name, value) in attributes::attributes(attempt.sms) {
                publish = publish.message_attributes(name, value);
            }
            publish.customize().interceptor(outgoing.clone()).interceptor(answer.clone()).send().await
        };
        let ended = within(attempt.timeout, AssertUnwindSafe(call).catch_unwind()).await;
        // Whatever happened around it, a message id says that SNS has the message.
        match answer.value() {
            Some(Ok(Some(id))) if is_message_id(id) => return Ok(id.to_owned()),
            Some(read) => {
                let lack = match read {
                    Ok(Some(_)) => "SNS answered with success and a message id that cannot be one.",
                    Ok(None) => "SNS answered with success and without a message id.",
                    Err(Unreadable) => "SNS answered with success and a body that cannot be read to its end.",
                };
                return Err(failed(meaning(Met::Answer { status: 200, code: None }), lack.to_owned(), None));
            }
            None => {}
        }
        let waited = humantime::format_duration(attempt.timeout);
        if outgoing.was_held_back() {
            let detail = "Its `expires_in` ran out before there was a connection to SNS.";
            let problem = Problem::new(Code::Expired, detail);
            return Err(PublishError { verdict: Verdict::NotSent, signal: Signal::None, problem });
        }
        match ended {
            Ok(Ok(Err(error))) => Err(self.refused(&error, outgoing.began(), &answer)),
            Ok(Ok(Ok(_))) => {
                let lack = "SNS answered with success and nothing that could be read.";
                Err(failed(meaning(Met::Answer { status: 200, code: None }), lack.to_owned(), None))
            }
            Ok(Err(_)) if outgoing.began() => {
                tracing::error!(id = %attempt.id, "a defect of the agent's own broke a publish off: it may have gone out");
                let detail = "A defect of the agent's own broke the publish off after the request had begun to go out.";
                Err(failed(meaning(Met::NoAnswer), detail.to_owned(), None))
            }
            Ok(Err(_)) => {
                tracing::error!(id = %attempt.id, "a defect of the agent's own broke a publish off: nothing was sent");
                let detail = "A defect of the agent's own broke the publish off before anything was sent.";
                Err(failed(meaning(Met::Defect), detail.to_owned(), None))
            }
            Err(TimedOut) if outgoing.began() => {
                let detail = format!("No answer from SNS within {waited}.");
                Err(failed(meaning(Met::NoAnswer), detail, None))
            }
            Err(TimedOut) => {
                let detail = format!("No credentials or no connection to SNS within {waited}; nothing was sent.");
                Err(failed(meaning(Met::NotOut), detail, None))
            }
        }
    }

    /// Reads one attribute of the account: the sender's policy allows it, and it changes and costs nothing. A refusal of
    /// this call alone is an answer too: whoever is told that knows the account.
    async fn ask_in(&self) -> Result<(), PublishError> {
        let answer = Answer::at(ATTRIBUTES);
        let call = self.client.get_sms_attributes().attributes("DefaultSMSType");
        let call = call.customize().interceptor(answer.clone()).send();
        match within(ASK_TIMEOUT, call).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.refused(&error, false, &answer)),
            Err(TimedOut) => {
                let waited = humantime::format_duration(ASK_TIMEOUT);
                Err(failed(meaning(Met::NotOut), format!("No answer from SNS within {waited}."), None))
            }
        }
    }

    /// What a failed publish means; where SNS does not know the credentials, they are loaded anew for the next one.
    fn refused<E>(&self, error: &SdkError<E, HttpResponse>, began: bool, answer: &Answer) -> PublishError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let met = match error.raw_response() {
            Some(raw) => Met::Answer { status: raw.status().as_u16(), code: error.code().or(answer.code()) },
            None if began => Met::NoAnswer,
            None => Met::NotOut,
        };
        let meaning = meaning(met);
        if meaning.stale_credentials {
            self.credentials.reload();
        }
        let said = ServiceError::of("SNS", error).in_region(&self.region);
        failed(meaning, sentence(&said.to_string()), said.request_id().map(str::to_owned))
    }

    async fn ask_opted_out(&self, to: &PhoneNumber) -> Result<bool, Problem> {
        let answer = Answer::at(IS_OPTED_OUT);
        let call = self.client.check_if_phone_number_is_opted_out().phone_number(to.as_str());
        let call = call.customize().interceptor(answer.clone()).send();
        let ended = within(ASK_TIMEOUT, AssertUnwindSafe(call).catch_unwind()).await;
        match (answer.value(), ended) {
            (Some(Ok(Some("true"))), _) => Ok(true),
            (Some(Ok(Some("false"))), _) => Ok(false),
            // Not to be taken for a number that has not opted out.
            (Some(Ok(_)), _) => {
                Err(Problem::new(Code::CarrierError, "SNS answered and did not say whether the number has opted out."))
            }
            (Some(Err(Unreadable)), _) => Err(Problem::new(
                Code::CarrierUnavailable,
                "SNS answered about opt-outs with a body that cannot be read.",
            )),
            (None, Ok(Ok(Err(error)))) => {
                let mut problem = self.refused(&error, false, &answer).problem;
                // A question, unlike a message, can be asked again without harm.
                if problem.code == Code::OutcomeUnknown {
                    problem.code = Code::CarrierUnavailable;
                }
                Err(problem)
            }
            (None, Ok(_)) => {
                Err(Problem::new(Code::CarrierError, "The question about opt-outs met a defect of the agent."))
            }
            (None, Err(TimedOut)) => {
                Err(Problem::new(Code::CarrierUnavailable, "No answer from SNS about opt-outs in time."))
            }
        }
    }
}

impl Carrier for Sns {
    fn publish<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Result<String, PublishError>> {
        self.send(attempt).boxed()
    }

    /// None: SNS takes messages to opted-out numbers, and only asking it would tell.
    fn objection(&self, _: &PhoneNumber) -> Option<Problem> {
        None
    }

    fn opted_out<'a>(&'a self, to: &'a PhoneNumber) -> BoxFuture<'a, Result<bool, Problem>> {
        self.ask_opted_out(to).boxed()
    }

    fn knock(&self) -> BoxFuture<'_, Result<(), PublishError>> {
        self.ask_in().boxed()
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Problem>> {
        async {
            self.credentials
                .ready()
                .await
                .map_err(|why| Problem::new(Code::CarrierUnavailable, sentence(&format!("No AWS credentials: {why}"))))
        }
        .boxed()
    }
}

fn failed(meaning: Meaning, detail: String, request_id: Option<String>) -> PublishError {
    // It goes into spans and into the outbox: what cannot be one of AWS's is left out.
    let request_id = request_id.filter(|id| is_message_id(id));
    let problem = Problem::new(meaning.code, detail).with_request_id(request_id);
    PublishError { verdict: meaning.verdict, signal: meaning.signal, problem }
}
