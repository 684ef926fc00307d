//! `policy`: a document as JSON, to be read, reviewed, or given to IAM.

use serde_json::{Value, json};

use super::{CommandError, Console, Said, Target, Verdict};
use crate::aws::{Place, Session, SessionError};
use crate::cli::{Policy, Whose};
use crate::operator;
use crate::resource::Kind;
use crate::stack::Stack;

/// The account is that of the settings, else the caller's.
pub(super) async fn policy(target: &Target, asked: &Policy, console: &Console) -> Result<Said, CommandError> {
    let place = match &target.account.account_id {
        Some(account) => Place::named(&target.aws, account).await.map_err(SessionError::from)?,
        None => Session::open(&target.aws, None).await?.place,
    };
    let stack = Stack::wanted(&target.account, &place, &target.profile);
    let document = match asked.whose {
        Whose::Sender => of(&stack, Kind::IamPolicy, "there is always one")?,
        Whose::DeliveryStatus => of(&stack, Kind::IamRolePolicy, "account.delivery_status_logging is off")?,
        Whose::Operator => {
            let document = operator::document(&stack, &place);
            warn(&stack, &document, asked.part, console);
            document
        }
    };
    let document = match asked.part {
        Some(part) => part_of(&document, part)?,
        None => document,
    };
    let summary = format!("{} characters.", operator::length(&document));
    let text = format!("{document:#}\n");
    Ok(Said { verdict: Verdict::Good, summary, text, json: json!({ "document": document }) })
}

fn of(stack: &Stack, kind: Kind, why_not: &str) -> Result<Value, CommandError> {
    let document = stack.of(kind).into_iter().find_map(|one| one.wanted.as_ref()?.get("document").cloned());
    document.ok_or_else(|| CommandError::Usage(format!("there is no such policy: {why_not}")))
}

fn part_of(document: &Value, part: u16) -> Result<Value, CommandError> {
    let parts = operator::parts(document);
    let there_are = match parts.len() {
        1 => "the document fits into one policy, which is part 1".to_owned(),
        count => format!("the document has {count} parts"),
    };
    let index = usize::from(part).checked_sub(1);
    let part = index.and_then(|index| parts.into_iter().nth(index));
    part.ok_or_else(|| CommandError::Usage(format!("--part: {there_are}")))
}

/// Once, with the whole or the first part.
fn warn(stack: &Stack, document: &Value, part: Option<u16>, console: &Console) {
    if let Some(why) = operator::unbounded(stack).filter(|_| part.is_none_or(|part| part == 1)) {
        console.remark(&format!("sms-provision: warning: {why}"));
    }
    let length = operator::length(document);
    if part.is_none() && length > operator::LONGEST {
        let count = operator::parts(document).len();
        console.remark(&format!(
            "sms-provision: warning: the policy has {length} characters, and IAM takes {} in one: make {count} policies of it \
             and attach them all: --part 1 to --part {count} print them",
            operator::LONGEST
        ));
    }
}
