//! The URL of an SQS queue: whether one can be it, and where AWS would have it.
//!
//! AWS's own follow its SQS guide ("Queue and message identifiers") and the endpoints of its general reference. Stand-ins
//! write other hosts and longer paths, but all of them end in the account, or what is in its place, and the name.

use super::form::{REGION, is_account_id};

/// What the partitions' endpoints end in, those of both stacks: the SDK's partition table.
const AWS: [&str; 10] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "api.aws",
    "api.amazonwebservices.com.cn",
    "api.amazonwebservices.eu",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
];

/// Where the host without a region, which is as old as SQS, has its queues.
const OLDEST_REGION: &str = "us-east-1";

/// The longest name of a queue, by SQS's own limit.
const LONGEST_NAME: usize = 80;

/// The URL of a standard queue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QueueUrl {
    text: String,
    region: Option<String>,
    endpoint: Option<String>,
}

impl QueueUrl {
    /// `None`: it is the URL of none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > 2048 || text.contains(['@', '?', '#']) {
            return None;
        }
        let uri: http::Uri = text.parse().ok()?;
        let host = uri.host().filter(|host| !host.is_empty())?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return None;
        }
        let path: Vec<&str> = uri.path().strip_prefix('/')?.split('/').collect();
        let (name, before) = path.split_last()?;
        if !is_name(name) || before.is_empty() || before.contains(&"") {
            return None;
        }
        let place = place_of(&host.to_ascii_lowercase());
        let is_account = matches!(before, [account] if is_account_id(account));
        if place.is_some() && !is_account {
            return None;
        }
        let goes_there = |place: &Place| place.is_usual && uri.port().is_none() && uri.scheme_str() == Some("https");
        let origin = || Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?));
        let endpoint = place.as_ref().filter(|place| !goes_there(place)).and_then(|_| origin());
        Some(Self { text: text.to_owned(), region: place.map(|place| place.region), endpoint })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The region in which AWS has it; `None`: its host is none of SQS's at AWS.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Where AWS has it, if that is not where the SDK goes by itself in its region: a VPC endpoint, one of FIPS or of both
    /// stacks, or another port.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }
}

/// Letters, digits, hyphens and underscores: a dot stands only in the name of a FIFO queue.
fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// What a host of SQS's says.
struct Place {
    region: String,
    /// The SDK goes to it by itself in that region, or to the one that has taken its place.
    is_usual: bool,
}

/// Where a host of SQS's is. Not all that is AWS's is SQS: somebody's stand-in may run there.
fn place_of(host: &str) -> Option<Place> {
    let of = |suffix: &&'static str| Some((*suffix, host.strip_suffix(suffix)?.strip_suffix('.')?));
    let (suffix, service) = AWS.iter().find_map(of)?;
    let labels: Vec<&str> = service.split('.').collect();
    let (region, is_usual) = match labels.as_slice() {
        ["sqs", region] => (*region, !suffix.starts_with("api.")),
        [region, "queue"] => (*region, true),
        ["queue"] if suffix == "amazonaws.com" => (OLDEST_REGION, true),
        ["sqs-fips", region] | [_, "sqs", region, "vpce"] => (*region, false),
        _ => return None,
    };
    (REGION.fits)(region).then(|| Place { region: region.to_owned(), is_usual })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(text: &str) -> Option<Option<String>> {
        QueueUrl::parse(text).map(|url| url.region)
    }

    #[test]
    fn a_queue_of_aws_lies_in_the_region_of_its_host() {
        for (host, region) in [
            ("sqs.eu-west-1.amazonaws.com", "eu-west-1"),
            ("SQS.EU-West-1.amazonaws.com", "eu-west-1"),
            ("sqs.eu-west-1.amazonaws.com:443", "eu-west-1"),
            ("eu-west-1.queue.amazonaws.com", "eu-west-1"),
            ("queue.amazonaws.com", "us-east-1"),
            ("sqs-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            ("sqs.us-east-2.api.aws", "us-east-2"),
            ("sqs.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("cn-north-1.queue.amazonaws.com.cn", "cn-north-1"),
            ("sqs.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
            ("vpce-0a1b-2c.sqs.eu-north-1.vpce.amazonaws.com", "eu-north-1"),
        ] {
            let url = format!("https://{host}/123456789012/sms-outbox");
            assert_eq!(self::region(&url), Some(Some(region.to_owned())), "{host}");
        }
    }

    #[test]
    fn a_queue_is_called_where_its_url_says_and_not_only_in_its_region() {
        for host in [
            "vpce-0a1b-2c.sqs.eu-north-1.vpce.amazonaws.com",
            "sqs-fips.us-gov-west-1.amazonaws.com",
            "sqs.us-east-2.api.aws",
            "sqs.eu-west-1.amazonaws.com:8443",
        ] {
            let url = QueueUrl::parse(&format!("https://{host}/123456789012/sms-outbox")).unwrap();
            assert_eq!(url.endpoint(), Some(format!("https://{host}").as_str()));
        }
        for host in
            ["sqs.eu-west-1.amazonaws.com", "eu-west-1.queue.amazonaws.com", "queue.amazonaws.com", "127.0.0.1:1"]
        {
            let url = QueueUrl::parse(&format!("https://{host}/123456789012/sms-outbox")).unwrap();
            assert_eq!(url.endpoint(), None, "{host}");
        }
        assert_eq!(region("https://queue.amazonaws.com.cn/123456789012/q"), Some(None), "there never was one");
    }

    #[test]
    fn stand_ins_have_hosts_and_paths_of_their_own() {
        for url in [
            "http://127.0.0.1:5000/123456789012/sms-outbox",
            "http://localhost:9324/queue/sms-outbox",
            "http://localhost:4566/000000000000/q",
            "http://localhost:4566/queue/us-east-1/000000000000/q",
            "http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/q",
            "http://[::1]:4566/000000000000/q",
            "https://sqs.internal/000000000000/sms_outbox",
            "http://ec2-192-0-2-1.eu-west-1.compute.amazonaws.com:4566/000000000000/q",
            "https://sns.eu-west-1.amazonaws.com/123456789012/sms-outbox",
        ] {
            assert_eq!(region(url), Some(None), "{url}");
        }
    }

    #[test]
    fn what_can_be_no_queue_is_none() {
        let too_long = format!("https://sqs.eu-west-1.amazonaws.com/123456789012/{}", "q".repeat(81));
        for url in [
            "sms-outbox",
            "arn:aws:sqs:eu-west-1:123456789012:sms-outbox",
            "ftp://127.0.0.1/123456789012/sms-outbox",
            "http:///123456789012/sms-outbox",
            "http://127.0.0.1:5000",
            "http://127.0.0.1:5000/",
            "http://127.0.0.1:5000/sms-outbox",
            "http://127.0.0.1:5000/123456789012/",
            "http://127.0.0.1:5000//sms-outbox",
            "http://127.0.0.1:5000/123456789012/sms-outbox/",
            "http://127.0.0.1:5000/123456789012/sms outbox",
            "http://127.0.0.1:5000/123456789012/sms-outbox.fifo",
            "http://127.0.0.1:5000/123456789012/sms-outbox?a=b",
            "http://127.0.0.1:5000/123456789012/sms-outbox#a",
            "http://a:b@127.0.0.1:5000/123456789012/sms-outbox",
            "https://sqs.eu-west-1.amazonaws.com/sms-outbox",
            "https://sqs.eu-west-1.amazonaws.com/1/sms-outbox",
            "https://sqs.eu-west-1.amazonaws.com/queue/eu-west-1/123456789012/sms-outbox",
            &too_long,
        ] {
            assert_eq!(region(url), None, "{url}");
        }
    }
}
