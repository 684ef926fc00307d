//! The log: lines for people on standard error.
//!
//! Events of this process become lines in which every phone number is hidden. Events of other crates are logged from warn
//! on only, whatever `RUST_LOG` asks, and without their text: the AWS SDK's lines print whole requests and answers. Spans are not
//! shown, so that with export off nothing wants them and `tracing` skips them where they are made.

use std::fmt;
use std::io::{self, Write};

use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, LevelFilter, Targets, filter_fn};
use tracing_subscriber::fmt::format::{Format, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::{Layer, registry::LookupSpan};

use super::mask::{Rigour, mask};
use super::{TelemetryError, is_ours};

/// What is logged where nobody asks for anything else.
pub(super) const USUAL: &str = "info";

/// What `RUST_LOG` asks for: `info`, `debug`, `sms_agent=debug,info`.
///
/// # Errors
/// It cannot be read.
pub(super) fn level(asked: &str) -> Result<Targets, TelemetryError> {
    asked.parse().map_err(|_| TelemetryError::LogFilter)
}

/// The layer that writes lines to `writer`.
pub(super) fn layer<S, W>(asked: Targets, colours: bool, writer: W) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn() -> Box<dyn Write> + Send + Sync + 'static,
{
    let allowed = filter_fn(|event| event.is_event() && (is_ours(event.target()) || *event.level() <= Level::WARN));
    tracing_subscriber::fmt::layer()
        .event_format(OwnTextOnly(Format::default()))
        .with_ansi(colours)
        // A closed standard error must not end the process, and that is what telling it there would do.
        .log_internal_errors(false)
        .with_writer(Masking(writer))
        .with_filter(asked.and(allowed.with_max_level_hint(LevelFilter::TRACE)))
}

/// Writes events of other crates without their text. The AWS SDK puts whole answers into its warnings, and these hold
/// what [`crate::foreign`] keeps back elsewhere.
struct OwnTextOnly<F>(F);

impl<S, N, F> FormatEvent<S, N> for OwnTextOnly<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let about = event.metadata();
        if is_ours(about.target()) {
            return self.0.format_event(context, to, event);
        }
        SystemTime.format_time(&mut to)?;
        let file = about.file().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        writeln!(
            to,
            " {:>5} {}: this library warns of something; its text may quote secrets and is not shown ({file}:{})",
            about.level(),
            about.target(),
            about.line().unwrap_or_default()
        )
    }
}

/// Puts the mask between the formatted line and its destination.
struct Masking<W>(W);

impl<'a, W: Fn() -> Box<dyn Write> + 'a> MakeWriter<'a> for Masking<W> {
    type Writer = MaskingWriter;

    fn make_writer(&'a self) -> MaskingWriter {
        MaskingWriter { to: (self.0)(), rigour: Rigour::Foreign }
    }

    fn make_writer_for(&'a self, event: &Metadata<'_>) -> MaskingWriter {
        let rigour = if is_ours(event.target()) { Rigour::Own } else { Rigour::Foreign };
        MaskingWriter { to: (self.0)(), rigour }
    }
}

/// Takes one whole line a call, which is how the layer above writes.
struct MaskingWriter {
    to: Box<dyn Write>,
    rigour: Rigour,
}

impl Write for MaskingWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.to.write_all(&mask(line, self.rigour))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::{debug, info, info_span, trace, warn};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(line)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(asked: Option<&str>, colours: bool, work: impl FnOnce()) -> String {
        let paper = Paper::default();
        let written = paper.clone();
        let layer = layer(level(asked.unwrap_or(USUAL)).unwrap(), colours, move || Box::new(paper.clone()));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
        let lines = written.0.lock().unwrap().clone();
        String::from_utf8(lines).unwrap()
    }

    #[test]
    fn without_rust_log_it_shows_info_and_above() {
        let shown = lines(None, false, || {
            debug!(target: "sms_agent::api", "quiet");
            info!(target: "sms_agent::api", segments = 2, "accepted");
        });
        assert!(shown.contains("INFO sms_agent::api: accepted segments=2"), "{shown}");
        assert_eq!(shown.lines().count(), 1, "{shown}");
    }

    #[test]
    fn what_others_wrote_is_shown_at_warn_at_most_whatever_is_asked() {
        for asked in ["trace", "aws_smithy_runtime=trace", "hyper=trace,h2=trace,aws_smithy_runtime=debug"] {
            let shown = lines(Some(asked), false, || {
                trace!(target: "aws_smithy_runtime::client", "request PhoneNumber=%2B12065550100");
                debug!(target: "hyper::proto::h1", "body");
                info!(target: "h2::codec", "frame");
                info!(target: "sms_agentic", "a neighbour by name");
            });
            assert_eq!(shown, "", "{asked}");
        }
        let shown = lines(Some("trace"), false, || warn!(target: "aws_runtime", "number +12065550100"));
        assert!(shown.contains(" WARN aws_runtime: ") && shown.contains("(log.rs:"), "{shown}");
        assert!(!shown.contains("number +") && !shown.contains("•00"), "{shown}");
    }

    #[test]
    fn our_own_lines_go_down_to_trace_when_that_is_asked() {
        let shown = lines(Some("warn,sms_agent=trace"), false, || {
            trace!(target: "sms_agent::outbox", "claimed");
            info!(target: "sms_config::telemetry", "not asked for");
        });
        assert!(shown.contains("TRACE sms_agent::outbox: claimed") && shown.lines().count() == 1, "{shown}");
    }

    #[test]
    fn numbers_are_hidden_in_messages_and_fields_and_in_colour_and_names_are_not() {
        for colours in [false, true] {
            let shown = lines(None, colours, || {
                warn!(target: "sms_agent::carrier", to = 12_065_550_100_u64, id = "01JDC8Z1234567ABCDEF012345", "AWS said: +12065550100");
                warn!(target: "aws_runtime", answer = ?"x12065550100y", "refused");
            });
            assert!(!shown.contains("2065550100"), "{shown}");
            assert!(shown.contains("01JDC8Z1234567ABCDEF012345"), "{shown}");
            assert_eq!(shown.contains('\x1b'), colours);
        }
    }

    #[test]
    fn spans_are_not_wanted_by_the_log_even_at_trace() {
        let shown = lines(Some("trace"), false, || {
            let span = info_span!(target: "sms_agent::trace", "POST /v1/messages", secret = 12_065_550_100_u64);
            assert!(span.is_disabled());
            let _entered = span.enter();
            info!(target: "sms_agent::api", "inside");
        });
        assert!(shown.ends_with("sms_agent::api: inside\n") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_said_so() {
        assert!(level("sms_agent=loud").is_err());
    }
}
