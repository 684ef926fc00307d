//! What of the settings the engine needs.

use std::time::Duration;

/// What of the settings the engine needs.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether the text of a settled message is kept.
    pub keep_text: bool,
    /// How long an idempotency key is remembered; longer while a message of its is neither sent nor given up.
    pub idempotency_ttl: Duration,
    /// How long the history keeps a settled message, from its acceptance.
    pub keep: Duration,
    /// Messages that may wait in the queue before new ones are refused.
    pub max_queued: u64,
    /// Whether what is accepted goes to a queue that lies elsewhere.
    pub forwards: bool,
    /// Whether one fsync may cover the claims of the messages that leave next: after a power cut they go out marked as
    /// possible duplicates, though most were not begun. Not where such a message is not to go out at all.
    pub ahead: bool,
}

/// As the settings have it where nobody says otherwise.
impl Default for Options {
    fn default() -> Self {
        let day = Duration::from_secs(86_400);
        Self {
            keep_text: false,
            idempotency_ttl: day,
            keep: 30 * day,
            max_queued: 100_000,
            forwards: false,
            ahead: true,
        }
    }
}
