//! The dashboard: what was published, what became of it, why it failed, where it arrives, and what it cost.

use serde_json::{Value, json};

use super::delivery::FAILURE_METRICS;
use super::{Site, plain, resource};
use crate::resource::{Kind, Resource};

pub(super) fn resources(site: &Site<'_>) -> Vec<Resource> {
    let name = &site.names.dashboard;
    vec![resource(Kind::CloudwatchDashboard, name, plain(true, [("body", body(site))]), &[])]
}

/// A metric's place is kept even where the one before it is left out.
fn body(site: &Site<'_>) -> Value {
    let namespace = &site.names.namespace;
    let search = |metric: &str, statistic: &str, period: u32, id: &str| {
        let expression =
            format!("SEARCH('{{AWS/SNS,Country,SMSType}} MetricName=\"{metric}\"', '{statistic}', {period})");
        json!([[{ "expression": expression, "id": id }]])
    };
    let direct =
        |metric: &str, label: &str| json!(["AWS/SNS", metric, "PhoneNumber", "PhoneNumberDirect", { "label": label }]);
    let mut widgets = vec![
        widget(site, (0, 0, 12), "Published", "Sum", 300, search("NumberOfMessagesPublished", "Sum", 300, "published")),
        widget(
            site,
            (12, 0, 12),
            "Delivered and failed",
            "Sum",
            300,
            json!([
                direct("NumberOfNotificationsDelivered", "Delivered"),
                direct("NumberOfNotificationsFailed", "Failed"),
            ]),
        ),
    ];
    if site.account.delivery_status_logging {
        let metrics: Vec<_> =
            FAILURE_METRICS.iter().map(|(metric, label)| json!([namespace, metric, { "label": label }])).collect();
        widgets.push(widget(site, (0, 6, 12), "Failed, by reason", "Sum", 300, json!(metrics)));
    }
    let success = search("SMSSuccessRate", "Average", 3600, "success");
    widgets.push(widget(site, (12, 6, 12), "Success rate by country", "Average", 3600, success));
    let spent = json!([["AWS/SNS", "SMSMonthToDateSpentUSD", { "label": "Spent" }]]);
    let mut spend = widget(site, (0, 12, 24), "Spend of this month, USD", "Maximum", 3600, spent);
    let limit = json!({ "horizontal": [{ "label": "Monthly limit", "value": site.account.monthly_spend_limit_usd }] });
    if let Some(properties) = spend.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("annotations".to_owned(), limit);
    }
    widgets.push(spend);
    json!({ "widgets": widgets })
}

/// `at`: column, row, width.
fn widget(site: &Site<'_>, at: (u32, u32, u32), title: &str, stat: &str, period: u32, metrics: Value) -> Value {
    let (x, y, width) = at;
    json!({
        "type": "metric",
        "x": x,
        "y": y,
        "width": width,
        "height": 6,
        "properties": {
            "title": title,
            "region": site.place.region,
            "view": "timeSeries",
            "stat": stat,
            "period": period,
            "metrics": metrics,
        },
    })
}
