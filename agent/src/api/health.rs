//! `GET /healthz` and `GET /readyz`: whether the process serves, and whether a message would get anywhere.

use http::StatusCode;
use serde::Serialize;

use super::routes::{Call, Work};
use super::{answer, problem};
use crate::message::Problem;

#[derive(Serialize)]
struct StatusJson {
    status: &'static str,
}

const OK: StatusJson = StatusJson { status: "ok" };

/// Answers as long as there is somebody to answer.
pub(super) fn alive(call: Call) -> Result<Work, Problem> {
    call.query.finish()?;
    Ok(Box::pin(async { Ok(answer::json(StatusCode::OK, &OK)) }))
}

/// Answers 503 with what is missing, or 200.
pub(super) fn ready(call: Call) -> Result<Work, Problem> {
    call.query.finish()?;
    let ready = call.api.intake.ready();
    Ok(Box::pin(async move {
        Ok(match ready.await {
            Ok(()) => answer::json(StatusCode::OK, &OK),
            Err(missing) => problem::answer_not_ready(&missing),
        })
    }))
}
