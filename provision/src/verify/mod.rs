//! Whether the sender may do what it should and nothing else: IAM is asked to decide, as it would for a real call.
//!
//! In flows the stack, out flows what was asked with what IAM decided. A policy can be right in this account and the
//! sender still unable to send: a number is asked for as the resource `*`, which is what IAM sees of one, and the region
//! is handed in, since nothing is really called.

mod live;
mod question;

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum};
use futures_util::future::try_join_all;
use serde::Serialize;

use crate::aws::{CallError, Fault, Session, call};
use crate::stack::Stack;

pub use live::{Sent, send};
pub use question::{Group, Principal, Question, groups};

/// A question with its answer.
#[derive(Clone, Debug, Serialize)]
pub struct Answered {
    /// Who.
    pub principal: String,
    /// May what: `send SMS to a number`.
    pub what: &'static str,
    /// The IAM action.
    pub action: &'static str,
    /// On which resource.
    pub resource: String,
    /// Whether it should be allowed.
    pub expected: &'static str,
    /// IAM's word: `allowed`, `implicitDeny`, `explicitDeny`.
    pub decision: String,
    /// Whether that is as it should be.
    pub ok: bool,
}

/// Asks IAM all of it.
///
/// # Errors
/// A principal is not there, or a call failed.
pub async fn verify(session: &Session, stack: &Stack) -> Result<Vec<Answered>, CallError> {
    let groups = groups(stack, &session.place);
    let answers = try_join_all(groups.iter().map(|group| ask(session, group))).await?;
    Ok(answers.into_iter().flatten().collect())
}

async fn ask(session: &Session, group: &Group) -> Result<Vec<Answered>, CallError> {
    let principal = arn(session, &group.principal).await?;
    let region = ContextEntry::builder()
        .context_key_name("aws:RequestedRegion")
        .context_key_type(ContextKeyTypeEnum::String)
        .context_key_values(&group.region)
        .build();
    let asked = session
        .iam
        .simulate_principal_policy()
        .policy_source_arn(principal)
        .set_action_names(Some(group.questions.iter().map(|question| question.action.to_owned()).collect()))
        .resource_arns(&group.resource)
        .context_entries(region);
    let told = call("iam:SimulatePrincipalPolicy", &group.name, || asked.clone().send()).await.map_err(not_there)?;
    let decision = |action: &str| {
        let mut results = told.evaluation_results().iter();
        let result = results.find(|result| result.eval_action_name().eq_ignore_ascii_case(action));
        result.map_or_else(|| "none".to_owned(), |result| result.eval_decision().as_str().to_owned())
    };
    let answered = group.questions.iter().map(|question| {
        let decision = decision(question.action);
        let allowed = decision == "allowed";
        // An answer that is missing proves nothing.
        let ok = decision != "none" && allowed == question.allowed;
        Answered {
            principal: group.name.clone(),
            what: question.what,
            action: question.action,
            resource: group.resource.clone(),
            expected: if question.allowed { "allowed" } else { "denied" },
            decision,
            ok,
        }
    });
    Ok(answered.collect())
}

/// What to do where there is nobody to ask about.
fn not_there(error: CallError) -> CallError {
    match error.fault {
        Fault::NotFound => error.advised("it is not there: sms-provision apply makes what is ours"),
        _ => error,
    }
}

async fn arn(session: &Session, principal: &Principal) -> Result<String, CallError> {
    match principal {
        Principal::Arn(arn) => Ok(arn.clone()),
        Principal::Role(name) => {
            let send = || session.iam.get_role().role_name(name).send();
            let got = call("iam:GetRole", &format!("IAM role {name}"), send).await.map_err(not_there)?;
            Ok(got.role.map(|role| role.arn).unwrap_or_default())
        }
    }
}
