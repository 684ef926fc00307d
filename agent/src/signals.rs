//! The signals that ask the program to stop.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// Hears SIGTERM and SIGINT from now on.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

/// The program was told a second time to stop, and does so with what it has in hand.
#[derive(Debug, thiserror::Error)]
#[error("stopped by a second signal; what was in flight is of unknown outcome until the next start")]
pub struct Impatience;

impl Signals {
    /// Takes the signals over from the system's own handling, which ends the process.
    ///
    /// # Errors
    /// What the system says.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Runs `program` to its end. The first signal ends the future that it is given, the second ends `program` itself.
    ///
    /// # Errors
    /// [`Impatience`], after the second signal.
    pub async fn run<T, F: Future<Output = T>>(
        mut self,
        program: impl FnOnce(oneshot::Receiver<()>) -> F,
    ) -> Result<T, Impatience> {
        let (stop, stopped) = oneshot::channel();
        let signalled = async {
            self.next().await;
            drop(stop);
            self.next().await;
        };
        tokio::select! {
            ended = program(stopped) => Ok(ended),
            () = signalled => Err(Impatience),
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
