//! The limit of open files, and what of it connections may take up.
//!
//! A connection is an open file like any other. If connections could use them all up, the outbox could not open its files
//! and nothing could be published, so enough of them are set aside for everything else.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::api::Limits;

/// What the agent itself opens: the outbox and the simulator's file with their logs, secrets, the log, listeners, the
/// connections to SQS, to the collector of traces, to name servers and to whatever hands out credentials.
const OWN: usize = 96;

/// Connections beyond the limit of a listener, at most: 16 for health and readiness, and the others for clients that are
/// told that the agent is overloaded.
const BEYOND: usize = 64;

/// The share of few files that connections get, where the agent's own would leave them less.
const LEAST: usize = 4;

/// Raises the limit of this process to the highest that it may have, and returns it.
pub(crate) fn raise() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Where the system refuses, as macOS does without a limit, the old one stays.
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).ok();
    }
    getrlimit(Resource::Nofile).current.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX)
}

/// How many connections each of `listeners` may have with that many open files: `wanted`, or fewer. With `publishes` in
/// flight, each has a connection to SNS.
pub(crate) fn limits(files: usize, publishes: usize, listeners: usize, wanted: usize) -> Limits {
    let for_connections = files.saturating_sub(OWN + publishes).max(files / LEAST);
    let of_one = for_connections / listeners.max(1);
    let beyond = BEYOND.min(of_one / 4).max(1);
    Limits { connections: wanted.min(of_one.saturating_sub(beyond)).max(1), beyond }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_many_files_there_are_as_many_connections_as_wanted() {
        for files in [4096, 524_288, usize::MAX] {
            assert_eq!(limits(files, 64, 2, 1024), Limits { connections: 1024, beyond: 64 }, "{files}");
        }
    }

    #[test]
    fn connections_leave_the_files_that_the_agent_and_its_publishes_need() {
        for (files, publishes, listeners) in [(1024, 64, 1), (1024, 64, 3), (2048, 1024, 1), (300, 64, 1)] {
            let Limits { connections, beyond } = limits(files, publishes, listeners, 1024);
            assert!(connections < 1024);
            assert!((connections + beyond) * listeners + OWN + publishes <= files, "{files}");
        }
    }

    #[test]
    fn with_hardly_any_files_there_is_still_a_connection() {
        for files in [0, 1, 30, 48, 100] {
            let Limits { connections, beyond } = limits(files, 64, 1, 1024);
            assert!(connections >= 1 && beyond >= 1 && connections + beyond <= (files / LEAST).max(2), "{files}");
        }
    }

    #[test]
    fn the_limit_is_raised_as_far_as_it_may_be() {
        let files = raise();
        let maximum = getrlimit(Resource::Nofile).maximum.map_or(usize::MAX, |maximum| maximum as usize);
        assert!(files == maximum || cfg!(target_os = "macos"), "{files} of {maximum}");
    }
}
