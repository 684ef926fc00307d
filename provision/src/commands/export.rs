//! `export`: the same account for Terraform, which takes it over.

use serde_json::json;

use super::target::{Aim, Opened};
use super::{CommandError, Console, Said, Target, Verdict};
use crate::aws::CallError;
use crate::cli::{Export, Exported};
use crate::inquiry;
use crate::observe::observe;
use crate::resource::{Found, Id, Kind, Owner};
use crate::terraform::{Address, address, quoted, variables};

pub(super) async fn export(target: &Target, asked: &Export, console: &Console) -> Result<Said, CommandError> {
    match asked.what {
        Exported::Tfvars => {
            let text = variables(&target.account);
            let json = json!({ "tfvars": text });
            Ok(Said { verdict: Verdict::Good, summary: "the settings as variables.".to_owned(), text, json })
        }
        Exported::ImportBlocks => {
            let module = module(&asked.module)?;
            import_blocks(&target.open(Aim::Settings, console).await?, module).await
        }
    }
}

/// Where the module is called; nothing where it is the root module itself.
fn module(text: &str) -> Result<&str, CommandError> {
    let well = text.is_empty()
        || (text.starts_with("module.")
            && text.chars().all(|one| one.is_ascii_alphanumeric() || "._-[]\"".contains(one)));
    well.then_some(text).ok_or_else(|| {
        CommandError::Usage(
            "--module: must be the address of a module, such as module.sms, or empty for the root".into(),
        )
    })
}

/// A block for each resource that the settings want, that is there and ours; a comment for each that is left out.
async fn import_blocks(opened: &Opened, module: &str) -> Result<Said, CommandError> {
    let (stack, place) = (&opened.ground.stack, &opened.ground.session.place);
    let observed = observe(&opened.kinds, stack).await?;
    let wanted = |id: &Id| stack.resources.iter().any(|one| one.id == *id && one.wanted.is_some());
    let mut found: Vec<Found> = observed.found.into_iter().filter(|one| wanted(&one.id)).collect();
    found.sort_by(|one, other| one.id.cmp(&other.id));
    let (mut text, mut blocks, mut left) = (String::new(), Vec::new(), Vec::new());
    let mut kinds = Vec::new();
    for one in found {
        let taken = match (&one.owner, address(&one.id, stack, place)) {
            (Owner::Other(whose), _) => Err(format!("it is not ours: it {whose}")),
            (_, Address::Not(why)) => Err(why.to_owned()),
            (_, Address::At(to, id)) => Ok((to, id)),
            (_, Address::Asked(to)) => asked(opened, &one.id).await?.map(|id| (to, id)),
        };
        match taken {
            Ok((to, id)) => {
                let to = if module.is_empty() { to } else { format!("{module}.{to}") };
                text.push_str(&format!("import {{\n  to = {to}\n  id = {}\n}}\n\n", quoted(&id)));
                blocks.push(json!({ "to": to, "id": id }));
                kinds.push(one.id.kind);
            }
            Err(why) => {
                text.push_str(&format!("# {} is left out: {why}.\n\n", one.id));
                left.push(json!({ "kind": one.id.kind, "name": one.id.name, "why": why }));
            }
        }
    }
    for (kind, error) in &observed.refused {
        let why = error.to_string();
        text.push_str(&format!("# {} is left out: {}\n\n", kind.noun(), why.replace('\n', " ")));
        left.push(json!({ "kind": kind, "why": why }));
    }
    let verdict = if observed.refused.is_empty() { Verdict::Good } else { Verdict::Bad };
    let summary = format!("{} to import, {} left out.", blocks.len(), left.len());
    let text = format!("{}{}\n", expected(&kinds), text.trim_end());
    Ok(Said { verdict, summary, text, json: json!({ "imports": blocks, "left_out": left }) })
}

/// What a plan with blocks for those kinds must come to, as a comment.
fn expected(kinds: &[Kind]) -> String {
    let but = match kinds {
        [] => return String::new(),
        // Terraform cannot read it from AWS, and without it the next destroy would delete the log groups.
        kinds if kinds.contains(&Kind::LogGroup) => {
            " but skip_destroy of the log groups: it\n# stands in Terraform's own state alone, and keeps the records when \
             the rest is destroyed"
        }
        _ => "",
    };
    format!(
        "# The plan must import all of these, destroy nothing, create aws_sns_sms_preferences, terraform_data.place (in the \
         state\n# only) and e-mail subscriptions that nobody has confirmed, and change nothing{but}.\n\n"
    )
}

/// The id that AWS made up; why there is none.
async fn asked(opened: &Opened, id: &Id) -> Result<Result<String, String>, CallError> {
    let session = &opened.ground.session;
    if id.kind == Kind::SqsQueue {
        return inquiry::queue_url(session, &id.name).await.map(Ok);
    }
    let all = inquiry::subscriptions(session, &opened.ground.stack.names.topic_arn).await?;
    let own = all.into_iter().find(|(endpoint, _)| *endpoint == id.name).and_then(|(_, arn)| arn);
    Ok(own.ok_or_else(|| "it is not confirmed yet, and has no ARN".to_owned()))
}
