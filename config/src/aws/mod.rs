//! The AWS client set-up that both binaries share.
//!
//! In flow `[aws]` of the settings and the caller's time-outs; out flows an [`SdkConfig`] from which every client is
//! made. Our keys win over `AWS_*`; what is not set is left to the SDK's own chain: environment, profiles, web
//! identity, the container services of ECS and EKS, the instance's metadata service.

mod checked;
mod credentials;
mod environment;
mod http;
mod incoming;
mod login;
mod missing;
mod outgoing;
mod process;
mod profile;
mod region;
mod source;
mod trust;

#[cfg(test)]
mod tests;

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_smithy_types::retry::RetryConfig;
use aws_types::service_config::ServiceConfigKey;

pub use credentials::Credentials;
pub use incoming::Incoming;
pub use outgoing::Outgoing;
pub use profile::{Ahead, InUse, MissingProfile, ProfileTrouble, ahead_of_a_key, in_use};
pub use region::{RegionAhead, ahead_of_a_region, sends_sms};
pub use source::unexpected_source;

use crate::Aws;
use crate::proxies::{self, NoProxy, Proxies, is_url};

/// How patient the clients are: the caller knows, not this crate.
#[derive(Clone, Copy, Debug)]
pub struct ClientOptions {
    /// For name, TCP and TLS together.
    pub connect_timeout: Duration,
    /// For each attempt of a call; `None`: the caller watches the time.
    pub operation_attempt_timeout: Option<Duration>,
    /// Repetitions of a failed call by the SDK; 0 for calls that must not happen twice.
    pub retries: u32,
}

/// Why there is no AWS client.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AwsError {
    /// Neither the settings nor the SDK's chain name a region.
    #[error(
        "no AWS region: set aws.region (SMS_AWS__REGION), AWS_REGION, or `region` in the profile; SMS attributes, \
         sandbox, spend and opt-outs are all per region"
    )]
    NoRegion,
    /// A profile is named that is in no file, or a file cannot be understood; it may have had the region.
    #[error("{0}")]
    Profile(ProfileTrouble),
    /// A variable holds something that cannot be used.
    #[error("{variable}: must be {allowed}; correct it or unset it")]
    Variable {
        /// Its name.
        variable: String,
        /// What it may hold.
        allowed: &'static str,
    },
    /// A profile, or the machine, names a region that is none.
    #[error(
        "the region {0} must be the name of a region in lower case, such as us-east-1; correct it there, or set \
         aws.region (SMS_AWS__REGION) or AWS_REGION"
    )]
    Region(&'static str),
    /// The endpoint of a profile is none.
    #[error(
        "endpoint_url of the AWS profile must be an http:// or https:// URL; correct it there, or set aws.endpoint_url"
    )]
    ProfileEndpoint,
    /// The certificates to trust cannot be had.
    #[error(
        "{by}: the file it names cannot be read or holds no certificate in PEM; check the path and its permissions"
    )]
    CaBundle {
        /// What names the file.
        by: &'static str,
    },
    /// The SDK leaves out a query, and logs it; it may be a secret, and so may what stands before the host.
    #[error(
        "{0} has more than an endpoint: leave scheme, host, port and path, and take out what stands before an @ or after a ?"
    )]
    OddEndpoint(String),
}

/// What AWS clients are made from, and the credentials behind them.
#[derive(Clone, Debug)]
pub struct AwsAccess {
    /// For `Client::new` of any service.
    pub config: SdkConfig,
    /// Those that `config` signs with.
    pub credentials: Credentials,
    /// The region of `config`.
    pub region: String,
}

impl From<NoProxy> for AwsError {
    fn from(NoProxy { variable }: NoProxy) -> Self {
        Self::Variable { variable: variable.to_owned(), allowed: proxies::ALLOWED }
    }
}

impl AwsAccess {
    /// Reads what the settings and the SDK's chain say. Asks nobody for credentials yet; the network is used only to
    /// find a region that nothing here names.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn load(settings: &Aws, options: ClientOptions) -> Result<Self, AwsError> {
        environment::check(settings)?;
        if let Some(name) = odd_endpoint(settings) {
            return Err(AwsError::OddEndpoint(name));
        }
        if let Some(trouble) = profile::no_file(&environment::env()) {
            return Err(AwsError::Profile(trouble));
        }
        let mut timeouts = TimeoutConfig::builder().connect_timeout(options.connect_timeout);
        timeouts.set_operation_attempt_timeout(options.operation_attempt_timeout);
        let retries = match options.retries {
            0 => RetryConfig::disabled(),
            n => RetryConfig::standard().with_max_attempts(n.saturating_add(1)),
        };
        // The base is without credentials: the chain is made when they are first needed.
        let http = http::client(Proxies::of_process()?, trust::trusted(settings, &environment::env()).await?);
        let base = base(settings, Some(http)).no_credentials().load().await;
        if base.endpoint_url().is_some_and(|endpoint| !is_url(endpoint)) {
            return Err(AwsError::ProfileEndpoint);
        }
        let Some(region) = base.region().map(ToString::to_string) else {
            let trouble = profile::trouble(settings, &environment::env()).await;
            return Err(trouble.map_or(AwsError::NoRegion, AwsError::Profile));
        };
        if !environment::is_region(&region) {
            return Err(AwsError::Region("of the AWS profile, or of the instance,"));
        }
        let credentials = Credentials::new(Aws { region: Some(region.clone()), ..settings.clone() }, base.clone());
        let mut config = base.into_builder().timeout_config(timeouts.build()).retry_config(retries);
        config.set_credentials_provider(Some(SharedCredentialsProvider::new(credentials.clone())));
        config.set_identity_cache(Some(SharedIdentityCache::new(credentials.clone())));
        Ok(Self { config: config.build(), credentials, region })
    }

    /// Where calls to that service, named as the SDK names it (`SQS`), go by the service's own variable or the profile,
    /// where that is not where all go.
    pub fn own_endpoint_of(&self, service_id: &str) -> Option<String> {
        let key = ServiceConfigKey::builder().service_id(service_id).env("AWS_ENDPOINT_URL").profile("endpoint_url");
        let own = key.build().ok().and_then(|key| self.config.service_config()?.load_config(key));
        own.filter(|own| Some(own.as_str()) != self.config.endpoint_url())
    }

    /// Whether calls to that service, named as the SDK names it (`SQS`), go elsewhere than to AWS: by `aws.endpoint_url`,
    /// `AWS_ENDPOINT_URL`, the service's own variable or the profile.
    pub fn has_endpoint_for(&self, service_id: &str) -> bool {
        self.own_endpoint_of(service_id).is_some() || self.config.endpoint_url().is_some()
    }
}

/// What names an endpoint that has a user's name, a query or a fragment.
fn odd_endpoint(settings: &Aws) -> Option<String> {
    let is_odd = |endpoint: &str| endpoint.contains(['@', '?', '#']);
    if settings.endpoint_url.as_deref().is_some_and(is_odd) {
        return Some("aws.endpoint_url".to_owned());
    }
    std::env::vars_os().find_map(|(name, value)| {
        let name = name.to_str().filter(|name| name.starts_with("AWS_ENDPOINT_URL"))?;
        value.to_str().is_some_and(is_odd).then(|| name.to_owned())
    })
}

fn base(settings: &Aws, http: Option<SharedHttpClient>) -> ConfigLoader {
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).env(environment::env());
    if let Some(http) = http {
        loader = loader.http_client(http);
    }
    // Each client says what it repeats. Asked of environment and profile, a value that is none ends in a panic of the SDK.
    loader = loader.retry_config(RetryConfig::standard());
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some((profile, _)) = profile::named(settings, &environment::env()) {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = &settings.endpoint_url {
        loader = loader.endpoint_url(endpoint);
    }
    loader
}

/// An error about one of the shared files and its causes, one after the other. For nothing that a peer wrote: that is
/// what [`crate::foreign`] is for.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    for cause in std::iter::successors(Some(error), |&error| error.source()) {
        let next = cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        // Many an error repeats its source in its own words.
        if !words.last().is_some_and(|last| last.ends_with(&next)) {
            words.push(next);
        }
    }
    words.join(": ")
}
