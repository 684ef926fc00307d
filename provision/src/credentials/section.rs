//! The text of a credentials file. In flows all of it, out flows all of it with one profile's section put in, changed or
//! taken out; whatever is not that section's is the same byte for byte, line ends and all.

/// What of a profile's section has a say in whose credentials it gives. Left beside a new key, it would win over it.
const OF_CREDENTIALS: &[&str] = &[
    "aws_access_key_id",
    "aws_account_id",
    "aws_secret_access_key",
    "aws_security_token",
    "aws_session_token",
    "credential_process",
    "credential_source",
    "duration_seconds",
    "external_id",
    "login_session",
    "mfa_serial",
    "role_arn",
    "role_session_name",
    "source_profile",
    "sso_account_id",
    "sso_region",
    "sso_role_name",
    "sso_session",
    "sso_start_url",
    "web_identity_token_file",
];

fn is_of_credentials(key: &str) -> bool {
    OF_CREDENTIALS.iter().any(|known| known.eq_ignore_ascii_case(key))
}

/// What a line is, as the SDKs read it.
enum Line<'a> {
    /// `[name]`.
    Header(&'a str),
    /// `key = value`, or `key: value` as Python's SDK and the AWS CLI read it too.
    Property(&'a str, &'a str),
    /// Indented under a property: more of it.
    Continued,
    /// A comment, or nothing.
    Other,
    /// What no SDK understands. Those in Python read nothing at all of a file with such a line.
    Unknown,
}

/// The lines with what each is. The text begins with a byte order mark where an editor has put one.
fn lines(text: &str) -> impl Iterator<Item = (&str, Line<'_>)> {
    let mut after_property = false;
    text.split_inclusive('\n').enumerate().map(move |(index, whole)| {
        let line = if index == 0 { whole.trim_start_matches('\u{feff}') } else { whole };
        let content = line.trim();
        let meant = if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            after_property = false;
            Line::Header(name.trim())
        } else if content.is_empty() || content.starts_with(['#', ';']) {
            Line::Other
        } else if after_property && line.starts_with([' ', '\t']) {
            Line::Continued
        } else if let Some((key, value)) = content.split_once(['=', ':']).filter(|(key, _)| !key.trim().is_empty()) {
            after_property = true;
            Line::Property(key.trim(), value.trim())
        } else {
            Line::Unknown
        };
        (whole, meant)
    })
}

/// The number of the first line that no SDK understands, from 1.
pub(super) fn not_understood(text: &str) -> Option<usize> {
    let unknown = |(whole, line): (&str, Line<'_>)| matches!(line, Line::Unknown) || whole.contains('\0');
    lines(text).position(unknown).map(|index| index + 1)
}

/// Whether a header names the profile as all SDKs read it. Those in Python take white space for a part of the name.
fn names(header: &str, profile: &str) -> bool {
    header.trim_start_matches('\u{feff}').strip_prefix('[').is_some_and(|rest| rest.starts_with(&format!("{profile}]")))
}

/// The last value of a key in the profile's section: of several the SDKs take the last. A key and a secret hold no white
/// space; what comes after some is a comment.
pub(super) fn value<'a>(text: &'a str, profile: &str, key: &str) -> Option<&'a str> {
    let mut ours = false;
    let mut last = None;
    for (_, line) in lines(text) {
        match line {
            Line::Header(name) => ours = name == profile,
            Line::Property(name, value) if ours && name.eq_ignore_ascii_case(key) => {
                last = value.split_whitespace().next();
            }
            _ => {}
        }
    }
    last
}

/// The text with this key in the profile's section, which is put at the end if there is none. Of several sections of the
/// profile the first one stays. Comments stay, and what has nothing to do with credentials (a region).
pub(super) fn put(text: &str, profile: &str, id: &str, secret: &str) -> String {
    let end = line_end(text);
    let key = format!("aws_access_key_id = {id}{end}aws_secret_access_key = {secret}{end}");
    let mut out = String::with_capacity(text.len() + key.len() + profile.len() + 8);
    let (mut ours, mut again, mut dropped) = (false, false, false);
    for (whole, line) in lines(text) {
        match line {
            Line::Header(name) => {
                again = again || ours;
                ours = name == profile;
                dropped = false;
                if ours && again {
                    continue;
                }
                match ours && !names(whole, profile) {
                    true => out.push_str(&format!("[{profile}]{end}")),
                    false => out.push_str(whole),
                }
                if ours {
                    finish_line(&mut out, end);
                    out.push_str(&key);
                }
                continue;
            }
            Line::Property(name, _) => {
                dropped = ours && (again || is_of_credentials(name));
            }
            Line::Continued => {}
            Line::Other | Line::Unknown => {
                out.push_str(whole);
                continue;
            }
        }
        if !dropped {
            out.push_str(whole);
        }
    }
    if !(ours || again) {
        finish_line(&mut out, end);
        if !out.is_empty() {
            out.push_str(end);
        }
        out.push_str(&format!("[{profile}]{end}{key}"));
    }
    out
}

/// The lines that [`put`] takes out of the profile's section, or out of several of them, as they are.
pub(super) fn taken_out(text: &str, profile: &str) -> String {
    let mut out = String::new();
    let (mut ours, mut again, mut taken) = (false, false, false);
    for (whole, line) in lines(text) {
        match line {
            Line::Header(name) => {
                again = again || ours;
                ours = name == profile;
                taken = false;
            }
            Line::Property(name, _) => taken = ours && (again || is_of_credentials(name)),
            Line::Continued => {}
            Line::Other | Line::Unknown => continue,
        }
        if taken {
            out.push_str(whole);
        }
    }
    finish_line(&mut out, line_end(text));
    out
}

/// The text without the profile's key; without the section, too, where it held nothing else. Comments stay.
pub(super) fn remove(text: &str, profile: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let has_more = has_more(text, profile);
    let end = line_end(text);
    let empty_line = format!("{end}{end}");
    let (mut ours, mut dropped, mut at_end) = (false, false, false);
    // Of the empty lines before and after a section that goes, one is enough.
    let mut surplus = false;
    for (whole, line) in lines(text) {
        match line {
            Line::Header(name) => {
                ours = name == profile;
                dropped = ours && !has_more;
                surplus = dropped && (out.is_empty() || out.ends_with(&empty_line));
            }
            Line::Other if surplus && whole.trim().is_empty() => {
                surplus = false;
                continue;
            }
            Line::Property(name, _) => dropped = ours && (!has_more || is_of_credentials(name)),
            Line::Continued => {}
            Line::Other | Line::Unknown => {
                at_end = false;
                out.push_str(whole);
                continue;
            }
        }
        at_end = dropped;
        if !dropped {
            out.push_str(whole);
        }
    }
    // The empty line that was put before it.
    if at_end && !has_more && out.ends_with(&empty_line) {
        out.truncate(out.len() - end.len());
    }
    out
}

/// Whether the profile's section says anything but who is meant.
fn has_more(text: &str, profile: &str) -> bool {
    let mut ours = false;
    lines(text).into_iter().any(|(_, line)| match line {
        Line::Header(name) => {
            ours = name == profile;
            false
        }
        Line::Property(name, _) => ours && !is_of_credentials(name),
        Line::Continued | Line::Other | Line::Unknown => false,
    })
}

fn line_end(text: &str) -> &'static str {
    match text.split_once('\n') {
        Some((first, _)) if first.ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

fn finish_line(text: &mut String, end: &str) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push_str(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: &str = "\u{feff}# work\r\n[default]\r\naws_access_key_id=A\r\naws_secret_access_key=B\r\n\r\n\
        [sms]\r\n; of the sender\r\nregion = eu-west-1\r\naws_access_key_id = OLD\r\naws_secret_access_key = WORSE\r\n\
        aws_session_token = STALE\r\ns3 =\r\n  max = 1\r\n\r\n# private\r\n[default]\r\nrole_arn = x\r\n  more\r\n[other]";

    #[test]
    fn only_the_key_of_the_section_is_replaced() {
        let expected = MIXED
            .replace("aws_access_key_id = OLD\r\naws_secret_access_key = WORSE\r\naws_session_token = STALE\r\n", "")
            .replace("[sms]\r\n", "[sms]\r\naws_access_key_id = NEW\r\naws_secret_access_key = BETTER\r\n");
        let put = put(MIXED, "sms", "NEW", "BETTER");
        assert_eq!(put, expected);
        assert_eq!(value(&put, "sms", "aws_access_key_id"), Some("NEW"));
        assert_eq!(value(&put, "default", "aws_access_key_id"), Some("A"));
        assert_eq!(value(&put, "sm", "aws_access_key_id"), None);
    }

    #[test]
    fn the_key_goes_and_what_else_the_section_says_stays() {
        let key = "aws_access_key_id = OLD\r\naws_secret_access_key = WORSE\r\naws_session_token = STALE\r\n";
        assert_eq!(remove(MIXED, "sms"), MIXED.replace(key, ""));
        assert_eq!(remove(MIXED, "nobody"), MIXED);
    }

    #[test]
    fn a_section_that_held_nothing_but_the_key_goes_and_its_comments_stay() {
        let text = "[a]\nx = 1\n[sms]\n; of the sender\naws_access_key_id = A\naws_secret_access_key = B\n[b]\n";
        assert_eq!(remove(text, "sms"), "[a]\nx = 1\n; of the sender\n[b]\n");
    }

    #[test]
    fn a_section_that_is_put_and_removed_leaves_the_text_as_it_was() {
        for text in ["", "[a]\nx = 1\n", "# only a comment\n", "[a]\r\nx = 1\r\n", "[a]\nx = 1\n\n\n"] {
            let put = put(text, "sms", "ID", "SECRET");
            assert!(put.starts_with(text), "{put}");
            assert_eq!(value(&put, "sms", "aws_secret_access_key"), Some("SECRET"));
            assert_eq!(remove(&put, "sms"), text);
        }
    }

    #[test]
    fn a_missing_line_end_does_not_join_two_lines() {
        assert_eq!(
            put("[a]\nx = 1", "sms", "I", "S"),
            "[a]\nx = 1\n\n[sms]\naws_access_key_id = I\naws_secret_access_key = S\n"
        );
        assert_eq!(put("[sms]", "sms", "I", "S"), "[sms]\naws_access_key_id = I\naws_secret_access_key = S\n");
        assert_eq!(
            put("\u{feff}[sms] # ours\nAWS_ACCESS_KEY_ID = O", "sms", "I", "S"),
            "\u{feff}[sms] # ours\naws_access_key_id = I\naws_secret_access_key = S\n"
        );
    }

    #[test]
    fn of_two_sections_of_the_profile_one_stays_and_it_has_the_new_key() {
        let twice = "[sms]\naws_access_key_id = A\n[b]\nx = 1\n[sms]\n# why\naws_access_key_id = B\nrole_arn = C\n";
        assert_eq!(value(twice, "sms", "aws_access_key_id"), Some("B"));
        let put = put(twice, "sms", "I", "S");
        assert_eq!(put, "[sms]\naws_access_key_id = I\naws_secret_access_key = S\n[b]\nx = 1\n# why\n");
    }

    #[test]
    fn what_is_taken_out_is_what_a_key_takes_the_place_of() {
        let old = "aws_access_key_id = OLD\r\naws_secret_access_key = WORSE\r\naws_session_token = STALE\r\n";
        assert_eq!(taken_out(MIXED, "sms"), old);
        assert_eq!(taken_out(MIXED, "other"), "");
        assert_eq!(taken_out(&put(MIXED, "nobody", "I", "S"), "sms"), old);
        let twice = "[sms]\nregion = a\nrole_arn = C\n  D\n[b]\nx = 1\n[sms]\n# why\nregion = b";
        assert_eq!(taken_out(twice, "sms"), "role_arn = C\n  D\nregion = b\n");
    }

    #[test]
    fn a_key_that_is_written_with_a_colon_is_replaced_like_any_other() {
        let text = "[sms]\naws_access_key_id: OLD\naws_secret_access_key : OLDS\nregion: eu-west-1\n[b]\nx: 1\n";
        assert_eq!(value(text, "sms", "aws_access_key_id"), Some("OLD"));
        assert_eq!(value("[sms]\na = b:c\n", "sms", "a"), Some("b:c"));
        let put = put(text, "sms", "I", "S");
        assert_eq!(put, "[sms]\naws_access_key_id = I\naws_secret_access_key = S\nregion: eu-west-1\n[b]\nx: 1\n");
    }

    #[test]
    fn a_header_with_blanks_in_it_gets_the_form_that_every_sdk_finds() {
        let text = "[ sms ] # ours\naws_access_key_id = OLD\n[b]\nx = 1\n";
        assert_eq!(put(text, "sms", "I", "S"), "[sms]\naws_access_key_id = I\naws_secret_access_key = S\n[b]\nx = 1\n");
    }

    #[test]
    fn sections_that_were_put_and_taken_out_again_leave_no_empty_lines_in_any_order() {
        for before in ["", "[default]\naws_access_key_id = A\n", "# mine\r\n[default]\r\nx = 1\r\n"] {
            for order in [["a", "b", "c"], ["c", "b", "a"], ["b", "a", "c"]] {
                let mut text = before.to_owned();
                for profile in ["a", "b", "c"] {
                    text = put(&text, profile, "I", "S");
                }
                for profile in order {
                    text = remove(&text, profile);
                }
                assert_eq!(text, before, "{order:?}");
            }
        }
    }

    #[test]
    fn a_line_that_nobody_understands_is_told_by_its_number() {
        for (text, line) in [
            ("[a]\nx = 1\nnonsense\n", Some(3)),
            ("= 1\n", Some(1)),
            ("[a]\nx = 1\0\n", Some(2)),
            ("# a\n\n; b\n[a] # c\nx = 1\n  more\ny: 2\ns3 =\n  max = 1\n", None),
            ("", None),
        ] {
            assert_eq!(not_understood(text), line, "{text}");
        }
    }

    #[test]
    fn a_section_next_to_ours_is_not_taken_for_ours() {
        let text = "[sms]\naws_access_key_id = A\n[sms2]\naws_access_key_id = B\n[profile sms]\nx = 1\n";
        let put = put(text, "sms2", "I", "S");
        assert_eq!(
            put,
            "[sms]\naws_access_key_id = A\n[sms2]\naws_access_key_id = I\naws_secret_access_key = S\n[profile sms]\nx = 1\n"
        );
    }
}
