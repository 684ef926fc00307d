//! `GET /v1/opt-outs/{number}`: whether a number wants no SMS from this account.

use http::StatusCode;
use serde::Serialize;

use super::answer;
use super::routes::{Call, Work};
use crate::message::{Code, PhoneNumber, Problem};

#[derive(Serialize)]
struct OptOutJson<'a> {
    number: &'a str,
    opted_out: bool,
}

/// Looks one up.
pub(super) fn opted_out(call: Call) -> Result<Work, Problem> {
    let refuse = |error| Problem::new(Code::InvalidPhoneNumber, format!("The path is refused: {error}.")).of("number");
    let number = PhoneNumber::parse(&call.segment).map_err(refuse)?;
    call.query.finish()?;
    let opted_out = call.api.intake.opted_out(number.clone());
    Ok(Box::pin(async move {
        let json = OptOutJson { number: number.as_str(), opted_out: opted_out.await? };
        Ok(answer::json(StatusCode::OK, &json))
    }))
}
