//! Variables that look like settings and are none: written with one underscore, in lower case, with a hyphen.

use std::ffi::OsString;

use super::keys::KEYS;
use super::text::{is_read, variable_of};

/// Variables that clients of the agent read, and that would otherwise look like a setting.
const OF_CLIENTS: [&str; 3] = ["SMS_AGENT_URL", "SMS_AGENT_TOKEN", "SMS_AGENT_TOKEN_FILE"];

/// One sentence for each variable that nothing reads and that is a setting but for case and separators. Its value, which may
/// be a secret, is not looked at.
pub(super) fn near_misses(env: &[(OsString, OsString)]) -> Vec<String> {
    let names = env.iter().filter_map(|(name, _)| name.to_str());
    let strange = names.filter(|name| !is_read(name) && !OF_CLIENTS.contains(name));
    let misses = strange.filter_map(|name| {
        let bare = letters(name);
        let right = KEYS.iter().map(|key| (key.name, variable_of(key.name))).find(|(_, right)| letters(right) == bare);
        right.map(|(key, right)| format!("the variable {name} is not read: {key} is set by {right}"))
    });
    misses.collect()
}

fn letters(name: &str) -> String {
    name.chars().filter(|letter| !['_', '-', '.'].contains(letter)).map(|letter| letter.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn misses(name: &str) -> Vec<String> {
        near_misses(&[(name.into(), "hidden".into())])
    }

    #[test]
    fn a_near_miss_is_named_with_the_right_form_and_without_its_value() {
        for name in
            ["SMS_AGENT_CARRIER", "sms_agent__carrier", "SMS__AGENT__CARRIER", "sms-agent.carrier", "Sms_Agent_Carrier"]
        {
            let expected = format!("the variable {name} is not read: agent.carrier is set by SMS_AGENT__CARRIER");
            assert_eq!(misses(name), [expected]);
        }
        assert!(misses("SMS_DISPATCH_ON_UNKNOWN")[0].ends_with("SMS_DISPATCH__ON_UNKNOWN"));
    }

    #[test]
    fn settings_and_the_variables_of_clients_and_of_kubernetes_are_no_near_misses() {
        for name in [
            "SMS_AGENT__CARRIER",
            "SMS_AGENT_URL",
            "SMS_AGENT_TOKEN",
            "SMS_AGENT_TOKEN_FILE",
            "SMS_AGENT_SERVICE_HOST",
            "SMS_AGENT_SERVICE_PORT",
            "SMS_AGENT_PORT",
            "SMS_AGENT_PORT_7670_TCP",
            "SMS_AGENT_PORT_7670_TCP_ADDR",
            "SMS_CONFIG",
            "HOME",
        ] {
            assert!(misses(name).is_empty(), "{name}");
        }
    }
}
