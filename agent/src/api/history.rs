//! `GET /v1/messages`: the history, a page at a time, the newest first.

use http::StatusCode;
use serde::Serialize;

use super::answer::{self, Payload, to_json};
use super::draft::LONGEST_REFERENCE;
use super::message::MessageJson;
use super::problem::Shown;
use super::query::Query;
use super::routes::{Call, Work};
use crate::message::{Code, Problem, Status};
use crate::outbox::{Cursor, Filter};

#[derive(Serialize)]
struct PageJson<'a> {
    messages: Vec<MessageJson<'a>>,
    next_cursor: Option<Shown<Cursor>>,
}

/// A page of it.
pub(super) fn messages(mut call: Call) -> Result<Work, Problem> {
    let filter =
        Filter { status: status(&mut call.query)?, to: call.query.take_to()?, reference: reference(&mut call.query)? };
    let limit = call.query.take_limit()?;
    let before = cursor(&mut call.query)?;
    call.query.finish()?;
    let page = call.api.intake.page(filter, before, limit);
    Ok(Box::pin(async move {
        let page = page.await?;
        let json = to_json(&PageJson {
            messages: page.messages.iter().map(MessageJson::from).collect(),
            next_cursor: page.next.map(Shown),
        });
        // A page can have a quarter of a megabyte, and its reader may be slow.
        let share = call.capacity.budget().take(json.len())?;
        Ok(answer::ready_made(StatusCode::OK, Payload::held(json, share)))
    }))
}

fn status(query: &mut Query) -> Result<Option<Status>, Problem> {
    let Some(word) = query.take("status")? else { return Ok(None) };
    let refuse = || {
        let words = Status::ALL.map(Status::as_str).join(", ");
        Problem::new(Code::InvalidParameter, format!("`status` must be one of {words}.")).of("status")
    };
    Status::parse(&word).map(Some).ok_or_else(refuse)
}

fn reference(query: &mut Query) -> Result<Option<String>, Problem> {
    let reference = query.take("reference")?;
    if reference.as_ref().is_some_and(|text| text.chars().nth(LONGEST_REFERENCE).is_some()) {
        let allowed = "`reference` must have at most 128 characters.";
        return Err(Problem::new(Code::InvalidParameter, allowed).of("reference"));
    }
    Ok(reference)
}

fn cursor(query: &mut Query) -> Result<Option<Cursor>, Problem> {
    let Some(text) = query.take("cursor")? else { return Ok(None) };
    let refuse =
        |_| Problem::new(Code::InvalidParameter, "Use a `next_cursor` as it was answered, or none.").of("cursor");
    text.parse().map(Some).map_err(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_cannot_be_is_refused_and_named() {
        let read = |text: &str| {
            let mut query = Query::parse(Some(text));
            status(&mut query).err().or(reference(&mut query).err()).or(cursor(&mut query).err())
        };
        let long = format!("reference={}", "é".repeat(129));
        for (query, name) in [
            ("status=Sent", "status"),
            ("status=", "status"),
            ("status=sent&status=sent", "status"),
            (long.as_str(), "reference"),
            ("cursor=", "cursor"),
            ("cursor=7", "cursor"),
        ] {
            let problem = read(query).unwrap();
            assert_eq!((problem.code, problem.parameter.as_deref()), (Code::InvalidParameter, Some(name)), "{query}");
        }
        assert_eq!(read("status=sent&reference=&cursor=0000000000000007"), None);
    }
}
