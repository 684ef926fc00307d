//! What is told of a panic: where it was, and not its words, which may quote what the agent was working on.

use sms_config::Lines;

/// From now on a panic is one line on standard error that names its place. What it means for a message or a request is
/// told by whoever caught it.
pub fn tell_places_only(stderr: &Lines) {
    let stderr = stderr.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        stderr.put(format!("sms-agent: a defect of the agent's own, at {place}\n").as_bytes());
    }));
}
