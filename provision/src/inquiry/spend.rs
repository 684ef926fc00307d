//! What was spent this month, the limit, and the other SMS attributes that decide what arrives.

use std::collections::HashMap;

use aws_sdk_cloudwatch::types::Statistic;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use super::briefly;
use crate::aws::{CallError, Session, call, pages};

/// The monthly spend limit in US dollars of an account that nobody has set up.
pub const LIMIT_UNTOUCHED: f64 = 1.0;
const DAY_SECONDS: i32 = 86_400;

/// Spent in this month and region, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spend {
    /// Up to some minutes ago.
    pub spent: f64,
    /// The limit, after which SNS sends no more.
    pub limit: f64,
}

impl Spend {
    /// Whether SNS still sends.
    pub fn leaves_room(&self) -> bool {
        self.spent < self.limit
    }
}

/// Spend against limit.
///
/// # Errors
/// The first call that failed.
pub async fn spend(session: &Session) -> Result<Spend, CallError> {
    let (spent, attributes) = futures_util::try_join!(spent(session), sms_attributes(session))?;
    let limit = attributes.get("MonthlySpendLimit").and_then(|limit| limit.parse().ok()).unwrap_or(LIMIT_UNTOUCHED);
    Ok(Spend { spent, limit })
}

/// The SMS attributes that are set.
///
/// # Errors
/// The call.
pub async fn sms_attributes(session: &Session) -> Result<HashMap<String, String>, CallError> {
    let send = || session.sns.get_sms_attributes().customize().config_override(briefly()).send();
    Ok(call("sns:GetSMSAttributes", &"the SMS attributes", send).await?.attributes.unwrap_or_default())
}

/// Whether the account has numbers of its own to send from.
///
/// # Errors
/// The call.
pub async fn has_origination_number(session: &Session) -> Result<bool, CallError> {
    let list = |token| {
        let list = session.sns.list_origination_numbers().set_next_token(token);
        list.customize().config_override(briefly()).send()
    };
    // A page may be empty and lead on to one that is not.
    let pages = pages("sns:ListOriginationNumbers", &"the origination numbers", list, |page| page.next_token()).await?;
    Ok(pages.iter().any(|page| !page.phone_numbers().is_empty()))
}

/// AWS's table gives this metric a dimension, and it has none. It only grows within a month: the highest is the latest.
/// Where nothing was sent there is no data, which is nothing spent.
async fn spent(session: &Session) -> Result<f64, CallError> {
    let now = DateTime::from(session.cloudwatch.config().time_source().unwrap_or_default().now());
    let start = month(now);
    // The period of today is a whole one, and what is counted this second belongs to it.
    let tomorrow = DateTime::from_secs(now.secs() + i64::from(DAY_SECONDS));
    let send = || {
        session
            .cloudwatch
            .get_metric_statistics()
            .namespace("AWS/SNS")
            .metric_name("SMSMonthToDateSpentUSD")
            .statistics(Statistic::Maximum)
            .period(DAY_SECONDS)
            .start_time(start)
            .end_time(tomorrow)
            .send()
    };
    let answer = call("cloudwatch:GetMetricStatistics", &"the spend of this month", send).await?;
    let points = answer.datapoints().iter().filter_map(aws_sdk_cloudwatch::types::Datapoint::maximum);
    Ok(points.fold(0.0, f64::max))
}

/// The first moment of the month, in UTC.
fn month(now: DateTime) -> DateTime {
    let text = now.fmt(Format::DateTime).unwrap_or_default();
    let first = text.get(..7).map(|month| format!("{month}-01T00:00:00Z")).unwrap_or_default();
    DateTime::from_str(&first, Format::DateTime).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_on_its_first_day() {
        let at = |text| DateTime::from_str(text, Format::DateTime).unwrap();
        assert_eq!(month(at("2026-02-28T23:59:59.5Z")), at("2026-02-01T00:00:00Z"));
        assert_eq!(month(at("2026-03-01T00:00:00Z")), at("2026-03-01T00:00:00Z"));
    }
}
