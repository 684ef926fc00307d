//! Which calls, to AWS or to an OTLP collector, go through a proxy: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, as curl and the AWS CLI read
//! them, in small letters too, which come first.
//!
//! Loopback and the services of the machine that hand out credentials are never asked through one. The URL of a proxy may
//! hold a password: it is shown nowhere.

use std::fmt;
use std::net::IpAddr;

use http::Uri;

/// A variable that is in force holds no proxy.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: must be {ALLOWED}; correct it or unset it")]
pub(crate) struct NoProxy {
    /// Its name.
    pub(crate) variable: &'static str,
}

/// What such a variable may hold.
pub(crate) const ALLOWED: &str =
    "the URL of a proxy, http://HOST:PORT or https://HOST:PORT, with %-escapes in a user name or password";

/// The proxies of a process.
#[derive(Clone, Default)]
pub(crate) struct Proxies {
    http: Option<String>,
    https: Option<String>,
    no: Vec<Exempt>,
}

/// What goes past the proxies.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Exempt {
    All,
    Net(IpAddr, u32, Option<u16>),
    /// A host and all below it.
    Domain(String, Option<u16>),
}

impl Proxies {
    /// Those of the process.
    ///
    /// # Errors
    /// A variable in force holds no proxy.
    pub(crate) fn of_process() -> Result<Self, NoProxy> {
        Self::read(&|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// The same from other variables.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, NoProxy> {
        let set = |names: &[&'static str]| {
            let value = |name: &&'static str| {
                Some((*name, variable(name).filter(|value| !value.trim().is_empty())?.trim().to_owned()))
            };
            names.iter().find_map(value)
        };
        let proxy = |names: &[&'static str]| set(names).map(|(name, value)| url(name, &value)).transpose();
        let no = set(&["no_proxy", "NO_PROXY"]).map(|(_, value)| value).unwrap_or_default();
        Ok(Self {
            https: proxy(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?,
            http: proxy(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])?,
            no: no.split([',', ' ']).filter_map(exempt).collect(),
        })
    }

    /// The URL of the proxy for a request to that URI.
    pub(crate) fn of(&self, uri: &Uri) -> Option<&str> {
        let https = uri.scheme_str() == Some("https");
        let proxy = if https { &self.https } else { &self.http }.as_deref()?;
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        (!is_of_the_machine(host) && !self.no.iter().any(|one| one.covers(host, port))).then_some(proxy)
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies").finish_non_exhaustive()
    }
}

fn url(variable: &'static str, value: &str) -> Result<String, NoProxy> {
    let url = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    if is_url(&url) { Ok(url) } else { Err(NoProxy { variable }) }
}

/// Whether this is an `http` or `https` URL with a host.
pub(crate) fn is_url(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let has_port = place.rsplit_once(']').map_or(place, |(_, after)| after).contains(':');
    matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.host().is_some_and(|host| !host.is_empty())
        && (!has_port || uri.port_u16().is_some_and(|port| port > 0))
}

/// Loopback, and the link-local services of instances and containers.
fn is_of_the_machine(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => {
            ip.is_loopback() || ip.is_unicast_link_local() || ip.segments().starts_with(&[0xfd00, 0xec2])
        }
        Err(_) => {
            let host = host.to_ascii_lowercase();
            host == "localhost" || host.ends_with(".localhost")
        }
    }
}

fn exempt(entry: &str) -> Option<Exempt> {
    let entry = entry.trim();
    if entry.is_empty() || entry == "*" {
        return (entry == "*").then_some(Exempt::All);
    }
    if let Some((ip, bits)) = entry.split_once('/') {
        return Some(Exempt::Net(ip.parse().ok()?, bits.parse().ok()?, None));
    }
    if let Ok(ip) = entry.parse() {
        return Some(Exempt::Net(ip, 128, None));
    }
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (entry, None),
    };
    if let Ok(ip) = host.trim_start_matches('[').trim_end_matches(']').parse() {
        return Some(Exempt::Net(ip, 128, port));
    }
    let domain = host.trim_start_matches('*').trim_start_matches('.').trim_end_matches('.');
    (!domain.is_empty()).then(|| Exempt::Domain(domain.to_ascii_lowercase(), port))
}

impl Exempt {
    fn covers(&self, host: &str, port: u16) -> bool {
        let fits = |only: &Option<u16>| only.is_none_or(|only| only == port);
        match self {
            Self::All => true,
            Self::Net(net, bits, only) => fits(only) && host.parse().is_ok_and(|ip| is_in(ip, *net, *bits)),
            Self::Domain(domain, only) => {
                let host = host.to_ascii_lowercase();
                let before = host.strip_suffix(domain.as_str());
                fits(only) && before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }
        }
    }
}

fn is_in(ip: IpAddr, net: IpAddr, bits: u32) -> bool {
    match (ip, net) {
        (IpAddr::V4(ip), IpAddr::V4(net)) => {
            let rest = 32_u32.saturating_sub(bits);
            u32::from(ip).checked_shr(rest) == u32::from(net).checked_shr(rest)
        }
        (IpAddr::V6(ip), IpAddr::V6(net)) => {
            let rest = 128_u32.saturating_sub(bits);
            u128::from(ip).checked_shr(rest) == u128::from(net).checked_shr(rest)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Proxies, NoProxy> {
        let find =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Proxies::read(&find)
    }

    fn of(variables: &[(&str, &str)], uri: &str) -> Option<String> {
        read(variables).unwrap().of(&uri.parse().unwrap()).map(str::to_owned)
    }

    #[test]
    fn each_scheme_has_its_proxy_and_small_letters_come_first() {
        let sns = "https://sns.us-east-1.amazonaws.com/";
        assert_eq!(of(&[("HTTPS_PROXY", "http://p:1")], sns).as_deref(), Some("http://p:1"));
        assert_eq!(of(&[("HTTP_PROXY", "http://p:1")], sns), None);
        assert_eq!(of(&[("ALL_PROXY", "p:1")], sns).as_deref(), Some("http://p:1"));
        let both = [("HTTPS_PROXY", "http://p:1"), ("https_proxy", "http://q:1"), ("all_proxy", "socks5://s")];
        assert_eq!(of(&both[..2], sns).as_deref(), Some("http://q:1"));
        assert_eq!(of(&[("HTTPS_PROXY", "http://p:1"), ("https_proxy", "")], sns).as_deref(), Some("http://p:1"));
        assert_eq!(of(&[("HTTP_PROXY", "http://p:1")], "http://sns.internal/").as_deref(), Some("http://p:1"));
    }

    #[test]
    fn what_no_proxy_lists_and_what_is_of_the_machine_goes_past_it() {
        for (no, host, past) in [
            ("*", "sns.us-east-1.amazonaws.com", true),
            ("amazonaws.com", "sns.us-east-1.amazonaws.com", true),
            (".amazonaws.com", "sns.us-east-1.amazonaws.com", true),
            ("*.amazonaws.com", "sns.us-east-1.amazonaws.com", true),
            ("AmazonAWS.com", "SNS.us-east-1.amazonaws.com", true),
            ("other, sns.us-east-1.amazonaws.com:443", "sns.us-east-1.amazonaws.com", true),
            ("sns.us-east-1.amazonaws.com:8443", "sns.us-east-1.amazonaws.com", false),
            ("aws.com", "sns.us-east-1.amazonaws.com", false),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("0.0.0.0/0", "11.1.2.3", true),
            ("10.1.2.3", "10.1.2.3", true),
            ("fd01::/16", "[fd01::1]", true),
            ("10.0.0.0/99,nonsense/", "10.0.0.1", false),
            ("", "10.0.0.1", false),
            ("", "127.0.0.1", true),
            ("", "localhost", true),
            ("", "[::1]", true),
            ("", "169.254.169.254", true),
            ("", "169.254.170.2", true),
            ("", "[fd00:ec2::254]", true),
        ] {
            let set = [("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", no)];
            assert_eq!(of(&set, &format!("https://{host}/")).is_none(), past, "{no} {host}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_named_and_not_shown() {
        for value in ["socks5://sesame", "http://", "http://ses ame", "http://sesame:x", "http://sesame:", "://sesame"]
        {
            let told = read(&[("HTTPS_PROXY", value)]).unwrap_err().to_string();
            assert!(told.starts_with("HTTPS_PROXY") && !told.contains("sesame"), "{told}");
        }
        assert!(!format!("{:?}", read(&[("HTTPS_PROXY", "http://u:sesame@p:1")])).contains("sesame"));
    }
}
