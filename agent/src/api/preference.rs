//! `Prefer: respond-async` (RFC 7240): the sender does not want to wait for the outcome.

use http::HeaderMap;

/// The only preference there is here; also what `Preference-Applied` answers.
pub(super) const RESPOND_ASYNC: &str = "respond-async";

/// Whether it was asked for. Preferences may come in several headers, several to a header and with parameters; those
/// that are not known, `wait` among them, are ignored as the RFC has it.
pub(super) fn respond_async(headers: &HeaderMap) -> bool {
    headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()).any(names_it)
}

fn names_it(list: &str) -> bool {
    let mut quoted = false;
    let mut escaped = false;
    // A comma within a quoted string parts nothing.
    let parts = list.split(|character: char| {
        let opens_or_ends = character == '"' && !escaped;
        escaped = quoted && character == '\\' && !escaped;
        quoted ^= opens_or_ends;
        character == ',' && !quoted
    });
    parts
        .map(|part| part.split(';').next().unwrap_or_default().trim())
        .any(|name| name.eq_ignore_ascii_case(RESPOND_ASYNC))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_among_others_and_nowhere_else() {
        for list in [
            "respond-async",
            "Respond-Async",
            "wait=5, respond-async",
            "a=\"b\\\",c\" ,respond-async; x=1",
            "respond-async,",
        ] {
            assert!(names_it(list), "{list}");
        }
        for list in [
            "",
            "respond",
            "respond-async=x",
            "a=\"b, respond-async, c\"",
            "a; respond-async",
            "respond-asynchronously",
        ] {
            assert!(!names_it(list), "{list}");
        }
    }

    #[test]
    fn it_is_found_in_any_of_several_headers() {
        let name = http::HeaderName::from_static("prefer");
        let headers = [(name.clone(), "return=minimal".parse().unwrap()), (name, "respond-async".parse().unwrap())]
            .into_iter()
            .collect();
        assert!(respond_async(&headers));
        assert!(!respond_async(&HeaderMap::new()));
    }
}
