//! The kinds of resource, one file each behind one trait: how AWS is asked about them and told.
//!
//! What flows in and out is the plain [`Resource`] and [`Found`]; identifiers, versions and the like stay inside. A kind
//! decides nothing: whether something is created, changed or deleted is the plan's, and in which order is `apply`'s.

mod access_key;
mod alarm;
mod attachment;
mod dashboard;
mod log_group;
mod metric_filter;
mod obstacles;
mod policy;
mod queue;
mod role;
mod role_policy;
mod sms_attributes;
mod subscription;
mod tagging;
mod topic;
mod user;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::aws::{CallError, Fault, Session};
use crate::resource::{Attributes, Found, Id, Kind, Resource};
use crate::stack::Stack;

/// What a call comes to.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, CallError>>;

/// What every kind works on.
#[derive(Debug)]
pub struct Ground {
    /// The account and region.
    pub session: Session,
    /// What is wanted there.
    pub stack: Stack,
    /// Whether log groups go even with records in them.
    pub delete_logs: bool,
    remarks: Mutex<Vec<String>>,
    obstacles: Mutex<Vec<String>>,
    refused: Mutex<Vec<CallError>>,
}

impl Ground {
    /// What is wanted in an account and region.
    pub fn new(session: Session, stack: Stack) -> Self {
        let (remarks, obstacles, refused) = Default::default();
        Self { session, stack, delete_logs: false, remarks, obstacles, refused }
    }

    /// The same, with log groups going even with records in them.
    #[must_use]
    pub fn with_delete_logs(self, delete_logs: bool) -> Self {
        Self { delete_logs, ..self }
    }

    /// Notes what happened on the way and is no failure.
    pub fn remark(&self, remark: String) {
        self.remarks.lock().unwrap_or_else(PoisonError::into_inner).push(remark);
    }

    /// All that was noted so far; it is told once.
    pub fn remarks(&self) -> Vec<String> {
        taken(&self.remarks)
    }

    /// Notes on this side of AWS what a change would break off at: better before anything is changed.
    pub fn obstruct(&self, why: String) {
        self.obstacles.lock().unwrap_or_else(PoisonError::into_inner).push(why);
    }

    /// All that stands in the way of a change; it is told once.
    pub fn obstacles(&self) -> Vec<String> {
        taken(&self.obstacles)
    }

    /// Notes a call that was refused where another one is the answer already.
    pub fn refuse(&self, error: &CallError) {
        if error.fault == Fault::Refused {
            self.refused.lock().unwrap_or_else(PoisonError::into_inner).push(error.clone());
        }
    }

    /// The calls that were refused beside those that are the answers; they are told once.
    pub fn refused(&self) -> Vec<CallError> {
        taken(&self.refused)
    }
}

fn taken<T>(notes: &Mutex<Vec<T>>) -> Vec<T> {
    std::mem::take(&mut *notes.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A change of something that is there.
#[derive(Debug)]
pub struct Update<'a> {
    /// Which resource.
    pub id: &'a Id,
    /// All that it should be, not only what changes.
    pub wanted: &'a Attributes,
    /// What it is.
    pub found: &'a Found,
    /// The attributes that differ.
    pub changed: &'a BTreeSet<String>,
}

impl Update<'_> {
    /// Whether one of those attributes differs.
    pub fn touches(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.changed.contains(*key))
    }
}

/// One kind of resource in AWS.
pub trait ResourceKind: Send + Sync {
    /// Which.
    fn kind(&self) -> Kind;

    /// What there is under our names: those of `candidates`, wanted or not, and whatever else of this kind can only
    /// be ours. What is not there is left out. It only reads.
    fn read<'a>(&'a self, candidates: &'a [&'a Resource]) -> Answer<'a, Vec<Found>>;

    /// Makes one that is not there.
    fn create<'a>(&'a self, id: &'a Id, wanted: &'a Attributes) -> Answer<'a, ()>;

    /// Changes one that is there.
    fn update<'a>(&'a self, update: Update<'a>) -> Answer<'a, ()>;

    /// Removes one that is there; that it is gone already is no error.
    fn delete<'a>(&'a self, found: &'a Found) -> Answer<'a, ()>;
}

/// All kinds.
pub fn all(ground: &Arc<Ground>) -> Vec<Box<dyn ResourceKind>> {
    vec![
        Box::new(policy::Policies(Arc::clone(ground))),
        Box::new(user::Users(Arc::clone(ground))),
        Box::new(attachment::Attachments(Arc::clone(ground))),
        Box::new(access_key::AccessKeys(Arc::clone(ground))),
        Box::new(role::Roles(Arc::clone(ground))),
        Box::new(role_policy::RolePolicies(Arc::clone(ground))),
        Box::new(log_group::LogGroups(Arc::clone(ground))),
        Box::new(metric_filter::MetricFilters(Arc::clone(ground))),
        Box::new(sms_attributes::SmsAttributes(Arc::clone(ground))),
        Box::new(topic::Topics(Arc::clone(ground))),
        Box::new(subscription::Subscriptions(Arc::clone(ground))),
        Box::new(alarm::Alarms(Arc::clone(ground))),
        Box::new(dashboard::Dashboards(Arc::clone(ground))),
        Box::new(queue::Queues(Arc::clone(ground))),
    ]
}

/// A JSON document. What is no JSON is shown as it is, and differs from whatever is wanted.
fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}
