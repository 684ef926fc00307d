//! The clocks of the machine, and what tells one of its boots from another.

use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};

use crate::message::WallTime;

/// Counts on while the machine sleeps. Elsewhere, as on macOS, the monotonic clock itself does.
#[cfg(any(target_os = "linux", target_os = "android"))]
const SINCE_BOOT: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const SINCE_BOOT: ClockId = ClockId::Monotonic;

/// Another one with each boot of a Linux machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// Another one where the clock since the boot starts at another value.
const TIME_NAMESPACE: &str = "/proc/self/ns/time";

/// The clocks of a machine.
pub trait Machine: Send + Sync {
    /// The time of day, which may be set at any time.
    fn wall(&self) -> WallTime;

    /// The time since the boot, sleep included. It never goes back within a boot.
    fn since_boot(&self) -> Duration;

    /// The name of this boot; `None`: the system does not tell.
    fn boot(&self) -> Option<String>;
}

/// The machine that this process runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThisMachine;

impl Machine for ThisMachine {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn wall(&self) -> WallTime {
        SystemTime::now().into()
    }

    fn since_boot(&self) -> Duration {
        let time = clock_gettime(SINCE_BOOT);
        let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), nanos)
    }

    fn boot(&self) -> Option<String> {
        let id = std::fs::read_to_string(BOOT_ID).ok()?;
        // Kernels without time namespaces have one time for all.
        let namespace = std::fs::read_link(TIME_NAMESPACE).unwrap_or_default();
        let id = id.trim();
        (!id.is_empty()).then(|| format!("{id} {}", namespace.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_tells_its_times_and_its_boot() {
        let (machine, earlier) = (ThisMachine, ThisMachine.since_boot());
        assert!(machine.since_boot() >= earlier && earlier > Duration::ZERO);
        assert!(machine.wall().as_millis() > 0);
        assert_eq!(machine.boot(), machine.boot());
    }
}
