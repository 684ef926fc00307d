//! The signals that ask the program to stop, and those that do not.
//!
//! SIGTERM, SIGINT and SIGQUIT stop it in order, and so does the SIGHUP of a terminal that goes away. Every other signal that
//! a user can send by mistake, and that would end the process at once, is ignored with a line in the log. Those that tell of
//! a defect (SIGSEGV, SIGABRT and the like) keep the system's handling.

use std::future::poll_fn;
use std::io::{self, IsTerminal};
use std::task::{Context, Poll};

use sms_config::Repeated;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// Signals beyond those that tokio names and that end a process: SIGSTKFLT, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGPWR.
/// The numbers are those of Linux on the processors that the agent is built for.
const OTHERS: [i32; 6] = [16, 24, 25, 26, 27, 30];

/// The real-time signals that the C library leaves to programs.
const REAL_TIME: std::ops::RangeInclusive<i32> = 34..=64;

/// Hears signals from now on.
pub struct Signals {
    stopping: Vec<Signal>,
    ignored: Vec<(i32, Signal, Repeated)>,
}

/// The program was told a second time to stop, and does so with what it has in hand.
#[derive(Debug, thiserror::Error)]
#[error("stopped by a second signal; what was in flight is of unknown outcome until the next start")]
pub struct Impatience;

impl Signals {
    /// Takes the signals over from the system's own handling, which ends the process. SIGHUP stops the program where standard
    /// error is a terminal, and is ignored elsewhere, as under `nohup` and from those who expect it to read files again.
    ///
    /// # Errors
    /// What the system says.
    pub fn listen() -> io::Result<Self> {
        let mut stops = vec![SignalKind::terminate(), SignalKind::interrupt(), SignalKind::quit()];
        let mut ignores =
            vec![SignalKind::user_defined1(), SignalKind::user_defined2(), SignalKind::alarm(), SignalKind::io()];
        let hangup = if io::stderr().is_terminal() { &mut stops } else { &mut ignores };
        hangup.push(SignalKind::hangup());
        if cfg!(target_os = "linux") {
            ignores.extend(OTHERS.into_iter().chain(REAL_TIME).map(SignalKind::from_raw));
        }
        Ok(Self {
            stopping: stops.into_iter().map(signal).collect::<Result<_, _>>()?,
            // One that the system does not have ends nothing.
            ignored: ignores
                .into_iter()
                .filter_map(|kind| Some((kind.as_raw_value(), signal(kind).ok()?, Repeated::new())))
                .collect(),
        })
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
        poll_fn(|context| {
            self.ignore(context);
            let stops = self.stopping.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if stops { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn ignore(&mut self, context: &mut Context<'_>) {
        for (number, signal, told) in &mut self.ignored {
            while signal.poll_recv(context).is_ready() {
                if let Some(times) = told.met() {
                    tracing::warn!(
                        signal = name(*number),
                        times,
                        "a signal is ignored: SIGTERM or SIGINT stops the agent"
                    );
                }
            }
        }
    }
}

fn name(number: i32) -> String {
    let known = [
        (SignalKind::hangup(), "SIGHUP"),
        (SignalKind::user_defined1(), "SIGUSR1"),
        (SignalKind::user_defined2(), "SIGUSR2"),
        (SignalKind::alarm(), "SIGALRM"),
    ];
    let found = known.iter().find(|(kind, _)| kind.as_raw_value() == number);
    let real_time = || REAL_TIME.contains(&number).then(|| format!("SIGRTMIN+{}", number - REAL_TIME.start()));
    found.map(|(_, name)| (*name).to_owned()).or_else(real_time).unwrap_or_else(|| number.to_string())
}
