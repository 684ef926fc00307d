//! What is shown of a setting that is, or may hold, a secret.

/// What is shown in the place of a secret.
pub(super) const REDACTED: &str = "REDACTED";

/// The URL with what stands before the `@` of its authority, and its query, replaced.
pub(super) fn redact_url(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, _)| (rest, "?REDACTED"));
    let (authority, path) =
        rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, format!("/{path}")));
    let authority = authority.rsplit_once('@').map_or(authority.to_owned(), |(_, host)| format!("{REDACTED}@{host}"));
    format!("{scheme}://{authority}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_keeps_its_host_and_path_and_loses_who_and_what() {
        for (url, shown) in [
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
            ("https://me:pass@host/a/b", "https://REDACTED@host/a/b"),
            ("https://token@host?key=1", "https://REDACTED@host?REDACTED"),
            ("http://a@b@host/@x", "http://REDACTED@host/@x"),
            ("http://[::1]:1/a?b?c", "http://[::1]:1/a?REDACTED"),
        ] {
            assert_eq!(redact_url(url), shown);
        }
    }
}
