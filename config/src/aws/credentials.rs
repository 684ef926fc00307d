//! Who we are to AWS: the SDK's chain of credential sources, a role on top if one is set, and the cache before them.
//!
//! In flow the settings; out flow credentials for every signature. The SDK reads a profile once and keeps keys until
//! they expire, so that keys that were replaced in the file are never seen by a process that runs. Here the chain and
//! its cache can be thrown away together, and are made anew by whoever asks next; a chain that gave nothing is thrown
//! away at once, since whoever starts before the file is written must find it later.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::identity::IdentityCache;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided, SharedCredentialsProvider, future};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::identity::{
    IdentityFuture, ResolveCachedIdentity, SharedIdentityCache, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::SdkConfig;
use aws_types::sdk_config::SharedTimeSource;

use super::profile::{self, ProfileTrouble};
use super::{base, checked, environment, missing, process, source};
use crate::{Aws, within};

/// How long a failure to get credentials is remembered by [`Credentials::ready`].
const REMEMBER: Duration = Duration::from_secs(5);
/// How long [`Credentials::ready`] waits for them. The instance metadata service of a machine that has none takes
/// that long to be given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the cache before the chain waits for it.
const LOADING: Duration = Duration::from_secs(120);

/// The credentials of this process. Clones share them.
#[derive(Clone)]
pub struct Credentials(Arc<Shared>);

struct Shared {
    settings: Aws,
    base: SdkConfig,
    time: SharedTimeSource,
    chain: tokio::sync::Mutex<Option<SharedCredentialsProvider>>,
    probe: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

struct State {
    cache: SharedIdentityCache,
    stale: bool,
    last: Option<Last>,
}

/// What the last question to the chain brought.
#[derive(Clone)]
enum Last {
    Had { until: Option<SystemTime> },
    Missing { at: SystemTime, why: String },
}

impl Credentials {
    /// Credentials as the settings say; `base` has region, endpoint and HTTP client for the call that assumes a role.
    pub(super) fn new(settings: Aws, base: SdkConfig) -> Self {
        let state = State { cache: new_cache(), stale: false, last: None };
        Self(Arc::new(Shared {
            settings,
            time: base.time_source().unwrap_or_default(),
            base,
            chain: tokio::sync::Mutex::new(None),
            probe: tokio::sync::Mutex::new(()),
            state: Mutex::new(state),
        }))
    }

    /// Forgets the chain and what it gave: the next call reads environment, profiles and services anew. For AWS's
    /// answers that the credentials themselves are wrong.
    pub fn reload(&self) {
        let mut state = self.state();
        state.cache = new_cache();
        state.stale = true;
        state.last = None;
    }

    /// Whether credentials can be had now. What is known from a moment ago is not asked again.
    ///
    /// # Errors
    /// Why they cannot be loaded and what to do about it; nothing of it is a peer's own text.
    pub async fn ready(&self) -> Result<(), String> {
        self.ready_within(PATIENCE).await
    }

    /// The same with so much patience.
    ///
    /// # Errors
    /// The same.
    pub async fn ready_within(&self, patience: Duration) -> Result<(), String> {
        if let Some(known) = self.known() {
            return known;
        }
        let _one_at_a_time = self.0.probe.lock().await;
        if let Some(known) = self.known() {
            return known;
        }
        let why = match within(patience, self.provide()).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => self.told(&error).await,
            Err(_) => match self.profile_trouble().await {
                Some(trouble) => trouble.to_string(),
                None => format!("no source gave any within {} s; {}", patience.as_secs(), missing::LOG_IN),
            },
        };
        Err(self.missing(why))
    }

    /// What is wrong with the shared files, or with the name of a profile in them, where the environment names no other
    /// source of credentials. Of a profile in no file only the instance's metadata service is asked, which has those of
    /// the machine and not of whom the profile stands for.
    pub async fn profile_trouble(&self) -> Option<ProfileTrouble> {
        let env = environment::env();
        if self.0.settings.profile.is_some() {
            return profile::trouble(&self.0.settings, &env).await;
        }
        if profile::has_key(&env) {
            return None;
        }
        let trouble = profile::trouble(&self.0.settings, &env).await;
        trouble.filter(|trouble| !matches!(trouble, ProfileTrouble::Missing(_)) || !profile::has_other_source(&env))
    }

    /// Where credentials are taken from by the settings and the environment, in words for a person.
    pub async fn source(&self) -> String {
        source::told(&self.0.settings, &environment::env()).await
    }

    /// What somebody may not expect of that choice: an ignored profile, half a key.
    pub fn surprise(&self) -> Option<String> {
        source::surprise(&self.0.settings, &environment::env())
    }

    fn known(&self) -> Option<Result<(), String>> {
        let now = self.0.time.now();
        match self.state().last.clone()? {
            Last::Had { until } => until.is_none_or(|until| until > now).then_some(Ok(())),
            Last::Missing { at, why } => {
                let age = now.duration_since(at).unwrap_or(REMEMBER);
                (age < REMEMBER).then_some(Err(why))
            }
        }
    }

    async fn provide(&self) -> Provided {
        let chain = self.chain().await;
        let unless_had = Stale(&self.0);
        let provided = chain.provide_credentials().await.and_then(checked::checked);
        match &provided {
            Ok(credentials) => {
                std::mem::forget(unless_had);
                self.state().last = Some(Last::Had { until: credentials.expiry() });
            }
            Err(error) => drop(self.missing(self.told(error).await)),
        }
        provided
    }

    async fn told(&self, error: &CredentialsError) -> String {
        if let Some(trouble) = self.profile_trouble().await {
            return trouble.to_string();
        }
        let region = self.0.base.region().map(AsRef::as_ref).unwrap_or_default();
        missing::explained(error, &self.0.settings, region).await
    }

    fn missing(&self, why: String) -> String {
        self.state().last = Some(Last::Missing { at: self.0.time.now(), why: why.clone() });
        why
    }

    async fn chain(&self) -> SharedCredentialsProvider {
        let mut chain = self.0.chain.lock().await;
        if std::mem::take(&mut self.state().stale) {
            *chain = None;
        }
        if let Some(chain) = &*chain {
            return chain.clone();
        }
        let made = self.make().await;
        *chain = Some(made.clone());
        made
    }

    async fn make(&self) -> SharedCredentialsProvider {
        let source = match (process::in_use(&self.0.settings, &environment::env()).await, &self.0.settings.profile) {
            (Some(program), _) => SharedCredentialsProvider::new(program),
            (None, Some(profile)) => self.profile(profile),
            (None, None) => self.default_chain().await,
        };
        let Some(role) = &self.0.settings.role_arn else { return source };
        let mut assumed = AssumeRoleProvider::builder(role).session_name("sms").configure(&self.0.base);
        if let Some(external_id) = &self.0.settings.external_id {
            assumed = assumed.external_id(external_id);
        }
        SharedCredentialsProvider::new(assumed.build_from_provider(source).await)
    }

    /// A profile that is named in our settings is meant: keys in the environment do not come before it.
    fn profile(&self, name: &str) -> SharedCredentialsProvider {
        let mut config = ProviderConfig::default().with_region(self.0.base.region().cloned());
        if let Some(http) = self.0.base.http_client() {
            config = config.with_http_client(http);
        }
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&config)
            .profile_name(name)
            .profile_files(profile::files())
            .build();
        SharedCredentialsProvider::new(provider)
    }

    async fn default_chain(&self) -> SharedCredentialsProvider {
        let loaded = base(&self.0.settings, self.0.base.http_client()).load().await;
        loaded.credentials_provider().unwrap_or_else(|| SharedCredentialsProvider::new(source::NoSource))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state()
    }
}

/// The callers watch the time, and know how long a person or a program may take.
fn new_cache() -> SharedIdentityCache {
    IdentityCache::lazy().load_timeout(LOADING).build()
}

impl Shared {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question to the chain that has brought nothing. Dropped so, by its answer or because nobody waited for it any
/// longer, the next one is asked of a new chain.
struct Stale<'a>(&'a Shared);

impl Drop for Stale<'_> {
    fn drop(&mut self) {
        self.0.state().stale = true;
    }
}

/// Neither keys nor the names of roles.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl ProvideCredentials for Credentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

impl ResolveCachedIdentity for Credentials {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        let cache = self.state().cache.clone();
        IdentityFuture::new(async move { cache.resolve_cached_identity(resolver, components, config).await })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.state().cache.clone().validate_base_client_config(components, config)
    }
}
