//! Which regions send SMS at all, as far as was known when this was written.

/// From the End User Messaging SMS guide's table of regions (2026) and the SNS endpoints of newer ones.
const SENDS_SMS: [&str; 34] = [
    "af-south-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-6",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// Whether the region is known to send SMS. The list ages: `false` is worth a warning and never an error. In a
/// region without SMS a good number is refused with the words for a bad one, which is why the warning matters.
pub fn sends_sms(region: &str) -> bool {
    SENDS_SMS.contains(&region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_with_sns_and_without_sms_is_told_apart() {
        assert!(sends_sms("eu-central-1") && sends_sms("us-gov-west-1"));
        assert!(!sends_sms("ap-east-1") && !sends_sms("cn-north-1") && !sends_sms("moon-1"));
    }
}
