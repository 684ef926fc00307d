//! `policy`: a document as JSON, to be read, reviewed, or given to IAM.

use serde_json::{Value, json};

use super::{CommandError, Console, Said, Target, Verdict};
use crate::aws::{Place, Session, SessionError};
use crate::cli::Whose;
use crate::operator;
use crate::resource::Kind;
use crate::stack::Stack;

/// The account is that of the settings, else the caller's.
pub(super) async fn policy(target: &Target, whose: Whose, console: &Console) -> Result<Said, CommandError> {
    let place = match &target.account.account_id {
        Some(account) => Place::named(&target.aws, account).await.map_err(SessionError::from)?,
        None => Session::open(&target.aws, None).await?.place,
    };
    let stack = Stack::wanted(&target.account, &place, &target.profile);
    let document = match whose {
        Whose::Sender => of(&stack, Kind::IamPolicy, "there is always one")?,
        Whose::DeliveryStatus => of(&stack, Kind::IamRolePolicy, "account.delivery_status_logging is off")?,
        Whose::Operator => {
            let document = operator::document(&stack, &place);
            warn(&stack, &document, console);
            document
        }
    };
    let summary = format!("{} characters.", operator::length(&document));
    let text = format!("{document:#}\n");
    Ok(Said { verdict: Verdict::Good, summary, text, json: json!({ "document": document }) })
}

fn of(stack: &Stack, kind: Kind, why_not: &str) -> Result<Value, CommandError> {
    let document = stack.of(kind).into_iter().find_map(|one| one.wanted.as_ref()?.get("document").cloned());
    document.ok_or_else(|| CommandError::Usage(format!("there is no such policy: {why_not}")))
}

fn warn(stack: &Stack, document: &Value, console: &Console) {
    if let Some(why) = operator::unbounded(stack) {
        console.remark(&format!("sms-provision: warning: {why}"));
    }
    let length = operator::length(document);
    if length > operator::LONGEST {
        console.remark(&format!(
            "sms-provision: warning: the policy has {length} characters and IAM takes {} in one; make two \
             policies of its statements (provision/README.md has the commands), or choose shorter names (account.name, \
             account.path)",
            operator::LONGEST
        ));
    }
}
