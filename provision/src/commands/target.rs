//! The accounts and regions that a command works on, one or many side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::join_all;
use sms_config::{Account, Aws, RegionAhead, Settings, ahead_of_a_region, in_use, sends_sms};

use super::CommandError;
use crate::aws::Session;
use crate::cli::Given;
use crate::kinds::{Ground, ResourceKind, all};
use crate::stack::Stack;

/// One account and region as the settings have it.
#[derive(Clone, Debug)]
pub struct Target {
    /// The target's name; that of the stack where there are no targets.
    pub name: String,
    /// The profile in the credentials file.
    pub profile: String,
    /// The way in.
    pub aws: Aws,
    /// What is wanted there.
    pub account: Account,
    /// The profiles that all accounts of the settings take their credentials from: they are not ours to replace.
    pub taken: Arc<[String]>,
}

/// A target with AWS behind it.
pub(super) struct Opened {
    pub(super) ground: Arc<Ground>,
    pub(super) kinds: Vec<Box<dyn ResourceKind>>,
}

/// What is to be there when a command is done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Aim {
    /// What the settings want.
    Settings,
    /// Nothing; log groups with records only stay where they are not to be deleted too.
    Nothing { delete_logs: bool },
}

impl Target {
    /// Asks AWS who we are.
    pub(super) async fn open(&self, aim: Aim, console: &super::Console) -> Result<Opened, CommandError> {
        let mut session = Session::open(&self.aws, self.account.account_id.as_deref()).await?;
        session.in_use.profiles.extend_from_slice(&self.taken);
        if !sends_sms(&session.place.region) {
            console.remark(&format!(
                "sms-provision: warning: the region {} is not known to send SMS",
                session.place.region
            ));
        }
        let (stack, delete_logs) = match aim {
            Aim::Settings => (Stack::wanted(&self.account, &session.place, &self.profile), false),
            Aim::Nothing { delete_logs } => (Stack::emptied(&self.account, &session.place, &self.profile), delete_logs),
        };
        let ground = Arc::new(Ground::new(session, stack).with_delete_logs(delete_logs));
        Ok(Opened { kinds: all(&ground), ground })
    }
}

/// The targets that the arguments choose.
pub(super) async fn chosen(given: &Given, settings: &Settings) -> Result<Vec<Target>, CommandError> {
    // Beside targets, nothing goes by [aws] that does not name a profile.
    let base = Some(&settings.aws).filter(|way| way.profile.is_some());
    let ways = settings.targets.iter().map(|target| &target.aws).chain(base);
    let taken = join_all(ways.map(in_use)).await.into_iter().flat_map(|used| used.profiles);
    let taken: Arc<[String]> = taken.collect::<BTreeSet<_>>().into_iter().collect();
    let targets = settings.targets.iter().map(|target| Target {
        taken: Arc::clone(&taken),
        name: target.name.clone(),
        profile: target.name.clone(),
        aws: target.aws.clone(),
        account: target.account.clone(),
    });
    let known = || settings.targets.iter().map(|target| target.name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(name) = &given.target {
        let found: Vec<Target> = targets.filter(|target| target.name == *name).collect();
        return match found.is_empty() {
            true if settings.targets.is_empty() => {
                Err(CommandError::Usage("--target: the settings have no [[targets]]".to_owned()))
            }
            true => Err(CommandError::Usage(format!("--target: there is no such target; there are {}", known()))),
            false => Ok(found),
        };
    }
    if given.all {
        let all: Vec<Target> = targets.collect();
        return match all.is_empty() {
            true => Err(CommandError::Usage("--all: the settings have no [[targets]]".to_owned())),
            false => Ok(all),
        };
    }
    let name = settings.account.name.clone();
    let (aws, account) = (settings.aws.clone(), settings.account.clone());
    Ok(vec![Target { profile: name.clone(), name, aws, account, taken: Arc::clone(&taken) }])
}

/// Why targets are not in the regions of their profiles, in words for a person; nothing where all are.
pub(super) async fn elsewhere(targets: &[Target]) -> Option<String> {
    let ahead = join_all(targets.iter().map(|target| ahead_of_a_region(&target.aws))).await;
    let found: Vec<(&Target, RegionAhead)> =
        targets.iter().zip(ahead).filter_map(|(target, ahead)| Some((target, ahead?))).collect();
    let (_, RegionAhead { variable, region, .. }) = found.first()?;
    let each = found
        .iter()
        .map(|(target, ahead)| format!("{} (its profile {} has {})", target.name, ahead.profile, ahead.of_profile));
    Some(format!(
        "{variable} comes before the regions of profiles, so that {region} is the region of {}. Set region in each target, or \
         unset {variable}",
        each.collect::<Vec<_>>().join(", ")
    ))
}

/// Makes sure that no two targets are one stack in one account and region: they would take each other's key away, and with
/// other settings never come to rest. A target that cannot be asked is told of by the command.
///
/// # Errors
/// Two are.
pub(super) async fn distinct(targets: &[Target], at_once: usize) -> Result<(), CommandError> {
    if targets.len() < 2 {
        return Ok(());
    }
    let places = each(targets, at_once, |target| async {
        let session = Session::open(&target.aws, target.account.account_id.as_deref()).await?;
        Ok((session.place.account, session.place.region, target.account.name.clone()))
    });
    let mut first = BTreeMap::new();
    for (target, place) in places.await {
        let Ok(place) = place else { continue };
        if let Some(other) = first.insert(place.clone(), target.clone()) {
            let (account, region, name) = place;
            return Err(CommandError::Usage(format!(
                "nothing was changed: the targets {other} and {target} are the same account {account}, region {region} and \
                 name {name}; is role_arn, profile, region or name of one of them missing or wrong?"
            )));
        }
    }
    Ok(())
}

/// Runs something for each target, so many at once; the results come in the targets' order.
pub(super) async fn each<'a, T, F>(
    targets: &'a [Target],
    at_once: usize,
    run: impl Fn(&'a Target) -> F,
) -> Vec<(String, Result<T, CommandError>)>
where
    F: Future<Output = Result<T, CommandError>>,
{
    let runs = targets.iter().map(|target| {
        let running = run(target);
        async move { (target.name.clone(), running.await) }
    });
    futures_util::stream::iter(runs).buffered(at_once).collect().await
}
