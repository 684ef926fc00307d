//! The message attributes by which SNS is told everything but number and text.
//!
//! The names are those of the SNS developer guide, «Publishing to a mobile phone»; SNS refuses any other name that
//! begins with `AWS.`.

use aws_sdk_sns::types::MessageAttributeValue;

use crate::message::{Sender, Sms};

/// Name and value of every attribute of this SMS. The type is always among them: AWS's documents disagree on what it
/// is where none is sent.
pub(super) fn attributes(sms: &Sms) -> impl Iterator<Item = (&'static str, MessageAttributeValue)> {
    let sender = match &sms.sender {
        Sender::Account => None,
        Sender::Id(id) => Some(("AWS.SNS.SMS.SenderID", string(id.as_str()))),
        Sender::Number(number) => Some(("AWS.MM.SMS.OriginationNumber", string(number.as_str()))),
    };
    let max_price = sms.max_price_usd.as_ref().map(|price| ("AWS.SNS.SMS.MaxPrice", value("Number", price.as_str())));
    let entity = sms.entity_id.as_ref().map(|id| ("AWS.MM.SMS.EntityId", string(id.as_str())));
    let template = sms.template_id.as_ref().map(|id| ("AWS.MM.SMS.TemplateId", string(id.as_str())));
    let kind = ("AWS.SNS.SMS.SMSType", string(sms.kind.as_sns()));
    [Some(kind), sender, max_price, entity, template].into_iter().flatten()
}

fn string(text: &str) -> MessageAttributeValue {
    value("String", text)
}

#[allow(clippy::expect_used, reason = "build fails only where the data type is missing")]
fn value(data_type: &str, text: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type(data_type).string_value(text).build().expect("a data type is set")
}
