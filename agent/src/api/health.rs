//! `GET /healthz` and `GET /readyz`: whether the process serves, and whether a message would get anywhere.

use std::sync::Arc;

use http::StatusCode;
use serde::Serialize;

use super::routes::{Call, Work};
use super::{answer, problem};
use crate::message::{Code, Problem};

#[derive(Serialize)]
struct StatusJson {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

const OK: StatusJson = StatusJson { status: "ok", detail: None };

/// Answers as long as there is somebody to answer.
pub(super) fn alive(call: Call) -> Result<Work, Problem> {
    call.query.finish()?;
    Ok(Box::pin(async { Ok(answer::json(StatusCode::OK, &OK)) }))
}

/// Answers 503 with what is missing, or 200; `degraded` where a send is still accepted, and waits here for the queue. An
/// agent that takes no sends is of no use then. Details are for callers with the token: everyone else learns the status and
/// the code only.
pub(super) fn ready(call: Call) -> Result<Work, Problem> {
    call.query.finish()?;
    let (api, ready) = (Arc::clone(&call.api), call.api.intake.ready());
    let headers = call.headers;
    Ok(Box::pin(async move {
        let detailed = match &api.token {
            Some(token) => token.check(&headers).await.is_ok(),
            None => true,
        };
        Ok(match ready.await {
            Ok(()) => match api.intake.trouble() {
                None => answer::json(StatusCode::OK, &OK),
                Some(detail) if api.takes_sends => {
                    let detail = detailed.then_some(detail);
                    answer::json(StatusCode::OK, &StatusJson { status: "degraded", detail })
                }
                Some(detail) => problem::answer_not_ready(&Problem::new(Code::OutboxUnavailable, detail), detailed),
            },
            Err(missing) => problem::answer_not_ready(&missing, detailed),
        })
    }))
}
