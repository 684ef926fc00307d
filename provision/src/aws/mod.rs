//! The account and region that a command works on: who we are there, and a client for each service.
//!
//! In flow `[aws]` and the guard of `account_id`; out flows [`Session`]. The first call is `sts:GetCallerIdentity`, and
//! no other is made where the account is not the one that the settings name.

mod error;
mod patience;

use std::time::Duration;

use sms_config::{Aws, AwsAccess, AwsError, ClientOptions, InUse, foreign, in_use};
use thiserror::Error;

pub use error::{CallError, Fault};
pub use patience::{
    Holder, SETTLING, call, call_about, call_create, call_delete, call_while, leaves_open, made_just_now, pages,
    patiently, patiently_for, unless_done,
};

/// How long one attempt of a call may take.
const ATTEMPT: Duration = Duration::from_secs(30);
/// Characters of an ARN.
const LONGEST_ARN: usize = 2048;
const CONNECT: Duration = Duration::from_secs(5);
/// How long credentials may take: a `credential_process` may wait for a person with a second factor.
const LOGIN: Duration = Duration::from_secs(120);
/// By the SDK, with its backoff. Many targets at once are throttled together.
const RETRIES: u32 = 5;
const OPTIONS: ClientOptions =
    ClientOptions { connect_timeout: CONNECT, operation_attempt_timeout: Some(ATTEMPT), retries: RETRIES };

/// The services that are called, as the SDK names them.
const SERVICES: [&str; 6] = ["IAM", "SNS", "SQS", "STS", "CloudWatch", "CloudWatch Logs"];

/// What the names of a partition's regions begin with, where it is not `aws`.
const PARTITIONS: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-", "aws-eusc"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
];

/// Why a command cannot begin.
#[derive(Debug, Error)]
pub enum SessionError {
    /// No region, no such profile, files that cannot be understood, or no endpoint.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// There are no credentials: why, and what to do about it.
    #[error("no AWS credentials: {0}")]
    NoCredentials(String),
    /// AWS cannot be asked, or refuses.
    #[error("{0}")]
    Identity(#[from] CallError),
    /// An answer without an account.
    #[error("sts:GetCallerIdentity answered without account or ARN; is aws.endpoint_url an AWS endpoint?")]
    NoIdentity,
    /// The guard.
    #[error(
        "the credentials are of account {found}, and account.account_id allows {allowed} only; nothing was changed: \
         choose other credentials (aws.profile, AWS_PROFILE) or mend account.account_id"
    )]
    WrongAccount {
        /// The caller's.
        found: String,
        /// The one of the settings.
        allowed: String,
    },
}

/// Where we are and who we are there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// 12 digits.
    pub account: String,
    /// `aws`, `aws-us-gov`, `aws-cn`, …
    pub partition: String,
    /// The region.
    pub region: String,
}

impl Place {
    /// The place that the settings name, without asking AWS who we are there: a region has its partition in its name.
    ///
    /// # Errors
    /// No region.
    pub async fn named(settings: &Aws, account: &str) -> Result<Self, AwsError> {
        let region = AwsAccess::load(settings, OPTIONS).await?.region;
        let begins = |prefix: &&(&str, &str)| region.starts_with(prefix.0);
        let partition = PARTITIONS.iter().find(begins).map_or("aws", |(_, partition)| partition);
        Ok(Self { account: account.to_owned(), partition: partition.to_owned(), region })
    }

    /// `arn:PARTITION:SERVICE:REGION:ACCOUNT:REST`.
    pub fn arn(&self, service: &str, rest: &str) -> String {
        let region = if service == "iam" { "" } else { &self.region };
        format!("arn:{}:{service}:{region}:{}:{rest}", self.partition, self.account)
    }
}

/// 12 digits: the account is shown, and names are made from it.
fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The clients of one account and region.
#[derive(Clone, Debug)]
pub struct Session {
    /// Where they lead.
    pub place: Place,
    /// Who calls.
    pub caller_arn: String,
    /// Where credentials come from, these and those of other accounts of the settings: they are not ours to replace.
    pub in_use: InUse,
    /// An endpoint that is not AWS's own, to be shown before anything is changed.
    pub endpoint: Option<String>,
    /// Services that are called at another one than that, and where.
    pub endpoints: Vec<(&'static str, String)>,
    /// IAM.
    pub iam: aws_sdk_iam::Client,
    /// SNS.
    pub sns: aws_sdk_sns::Client,
    /// CloudWatch.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// STS.
    pub sts: aws_sdk_sts::Client,
}

impl Session {
    /// Asks AWS who we are, and goes no further in an account that is not `allowed`.
    ///
    /// # Errors
    /// [`SessionError`].
    pub async fn open(settings: &Aws, allowed: Option<&str>) -> Result<Self, SessionError> {
        let access = AwsAccess::load(settings, OPTIONS).await?;
        // At once, and not after all that the SDK would try in its place.
        if let Some(trouble) = access.credentials.profile_trouble().await {
            return Err(AwsError::Profile(trouble).into());
        }
        access.credentials.ready_within(LOGIN).await.map_err(SessionError::NoCredentials)?;
        let sts = aws_sdk_sts::Client::new(&access.config);
        let send = || sts.get_caller_identity().send();
        let caller = call("sts:GetCallerIdentity", &"the credentials", send).await;
        let caller = caller.map_err(|error| error.in_region(&access.region))?;
        let (Some(account), Some(arn)) = (caller.account(), caller.arn()) else {
            return Err(SessionError::NoIdentity);
        };
        if !is_account(account) || !arn.starts_with("arn:") || foreign::one_line(arn, LONGEST_ARN) != arn {
            return Err(SessionError::NoIdentity);
        }
        if let Some(allowed) = allowed.filter(|allowed| *allowed != account) {
            return Err(SessionError::WrongAccount { found: account.to_owned(), allowed: allowed.to_owned() });
        }
        let partition = arn.split(':').nth(1).filter(|partition| !partition.is_empty()).unwrap_or("aws");
        Ok(Self {
            place: Place {
                account: account.to_owned(),
                partition: partition.to_owned(),
                region: access.region.clone(),
            },
            caller_arn: arn.to_owned(),
            in_use: in_use(settings).await,
            endpoint: access.config.endpoint_url().map(ToOwned::to_owned),
            endpoints: SERVICES
                .iter()
                .filter(|_| settings.endpoint_url.is_none())
                .filter_map(|service| Some((*service, access.own_endpoint_of(service)?)))
                .collect(),
            iam: aws_sdk_iam::Client::new(&access.config),
            sns: aws_sdk_sns::Client::new(&access.config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&access.config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&access.config),
            sqs: aws_sdk_sqs::Client::new(&access.config),
            sts,
        })
    }
}
