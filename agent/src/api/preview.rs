//! `POST /v1/messages/preview`: what a send of the same body would meet. It sends nothing and costs nothing.

use http::StatusCode;
use serde::Serialize;

use super::answer;
use super::draft::{self, Reading};
use super::json::Members;
use super::problem::ProblemJson;
use super::routes::{Call, Work};
use crate::message::Problem;

#[derive(Serialize)]
struct PreviewJson<'a> {
    encoding: Option<&'static str>,
    segments: Option<u32>,
    country: Option<&'static str>,
    admitted: bool,
    problems: Vec<ProblemJson<'a>>,
}

/// Previews one. Whatever is wrong with members and query values is part of the answer, not a refusal.
pub(super) fn preview(call: Call, members: &Members<'_>) -> Result<Work, Problem> {
    let Reading { to, text, mut problems, .. } = draft::read(members, call.api.default_type);
    problems.extend(call.query.strangers());
    let (encoding, segments) = text.map(|text| (text.encoding().as_str(), text.segments())).unzip();
    let country = to.as_ref().and_then(crate::message::PhoneNumber::country);
    Ok(Box::pin(async move {
        let mut admitted = problems.is_empty();
        if let Some(to) = to {
            let (number_admitted, of_number) = call.api.intake.preview(to).await;
            admitted &= number_admitted;
            problems.extend(of_number);
        }
        let problems = problems.iter().map(ProblemJson::new).collect();
        let json = PreviewJson { encoding, segments, country, admitted, problems };
        Ok(answer::json(StatusCode::OK, &json))
    }))
}
