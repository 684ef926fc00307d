//! The answer that a request was signed at the wrong time. AWS writes both times into it.

use std::fmt;

/// What AWS says about the clocks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Skew {
    /// When the request was signed, and AWS's own time; unknown for a code that comes without times.
    times: Option<(Time, Time)>,
}

/// A moment as signatures write it (`20260727T080000Z`): 15 characters, checked to be digits.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Time(String);

impl Skew {
    /// Known without times.
    pub(super) const UNTIMED: Self = Self { times: None };

    /// The skew in AWS's sentences: `Signature expired: SIGNED is now earlier than LIMIT (NOW - 15 min.)` and `Signature
    /// not yet current: SIGNED is still later than LIMIT (NOW + 5 min.)`.
    pub(super) fn read(message: &str) -> Option<Self> {
        let rest = ["Signature expired: ", "Signature not yet current: "]
            .iter()
            .find_map(|begin| message.split_once(begin).map(|(_, rest)| rest))?;
        let signed = rest.split(' ').next().and_then(Time::read);
        let now = rest.split_once('(').and_then(|(_, rest)| rest.split(' ').next()).and_then(Time::read);
        Some(Self { times: signed.zip(now) })
    }
}

impl Time {
    fn read(text: &str) -> Option<Self> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let digits = |part: &str, count| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
        let year = date.get(..4).and_then(|year| year.parse::<u32>().ok())?;
        let plausible = (1970..2200).contains(&year) && date.get(4..6)? <= "12" && date.get(6..)? <= "31";
        (digits(date, 8) && digits(time, 6) && plausible && time <= "235960").then(|| Self(format!("{date}{time}")))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |range| self.0.get(range).unwrap_or_default();
        write!(f, "{}-{}-{} ", part(0..4), part(4..6), part(6..8))?;
        write!(f, "{}:{}:{} UTC", part(8..10), part(10..12), part(12..14))
    }
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the clock of this machine is wrong")?;
        match &self.times {
            Some((signed, now)) => write!(f, ": the request was signed at {signed}, and AWS has {now}"),
            None => f.write_str(": AWS refuses the time of the request"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_times_are_shown_as_times() {
        let late =
            "Signature expired: 20260727T080000Z is now earlier than 20260727T081500Z (20260727T083000Z - 15 min.)";
        let early = "Signature not yet current: 20260727T083000Z is still later than 20260727T081000Z (20260727T080500Z + 5 min.)";
        for (message, signed, now) in [(late, "08:00:00", "08:30:00"), (early, "08:30:00", "08:05:00")] {
            let shown = Skew::read(message).unwrap().to_string();
            let times = format!("signed at 2026-07-27 {signed} UTC, and AWS has 2026-07-27 {now} UTC");
            assert!(shown.ends_with(&times), "{shown}");
        }
    }

    #[test]
    fn what_is_no_time_is_not_shown() {
        for signed in ["+12065550100", "12065550100T424242Z", "99999999T000000Z", "20260727T080000Z\u{1b}[31m"] {
            let message = format!("Signature expired: {signed} is now earlier than x (sesame - 15 min.)");
            let shown = Skew::read(&message).unwrap().to_string();
            assert!(shown.ends_with("AWS refuses the time of the request"), "{shown}");
        }
        assert_eq!(Skew::read("The request signature we calculated does not match"), None);
    }
}
