//! Lines for a stream whose reader may stop reading.
//!
//! Lines go in from any thread without waiting; a thread of its own writes them. What the stream does not take in time is
//! dropped and counted, and the count is written once there is room: a log must never hold up what it tells about.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

/// Lines that wait at most.
const MOST_LINES: usize = 2_048;

/// Bytes that wait at most.
const MOST_BYTES: usize = 256 * 1024;

/// How long to wait for a stream that somebody made non-blocking and that takes nothing now.
const PAUSE: Duration = Duration::from_millis(20);

/// A bounded queue of lines and the thread that writes them. Clones share both.
#[derive(Clone, Debug)]
pub struct Lines(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    emptied: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    dropped: u64,
    /// A line was taken out and is being written.
    writing: bool,
}

impl Lines {
    /// Lines for `stream`, which is called `name` where lines were dropped.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn to(name: &'static str, stream: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let taken = Arc::clone(&shared);
        std::thread::Builder::new().name("lines".to_owned()).spawn(move || taken.write_all_to(name, stream))?;
        Ok(Self(shared))
    }

    /// Queues whole lines, with the line breaks that they end with, or drops them where the queue is full.
    pub fn put(&self, lines: &[u8]) {
        let mut queue = self.0.lock();
        if queue.lines.len() >= MOST_LINES || queue.bytes + lines.len() > MOST_BYTES {
            queue.dropped += 1;
            return;
        }
        queue.bytes += lines.len();
        queue.lines.push_back(lines.to_vec());
        drop(queue);
        self.0.filled.notify_one();
    }

    /// Waits until everything is written, but no longer than `within`. It blocks the thread: not for a runtime's.
    pub fn flush(&self, within: Duration) {
        let queue = self.0.lock();
        let busy = |queue: &mut Queue| queue.writing || !queue.lines.is_empty();
        drop(self.0.emptied.wait_timeout_while(queue, within, busy));
    }
}

impl Write for Lines {
    /// Takes everything, and never fails.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.put(lines);
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs as long as the process.
    fn write_all_to(&self, name: &str, mut stream: impl Write) {
        loop {
            let line = self.next();
            let written = write(&mut stream, &line).is_ok();
            let dropped = {
                let mut queue = self.lock();
                queue.dropped += u64::from(!written);
                // Not at the first free place: a slow reader would get more of these than of the lines.
                let room = queue.lines.len() <= MOST_LINES / 2 && queue.bytes <= MOST_BYTES / 2;
                if written && room { std::mem::take(&mut queue.dropped) } else { 0 }
            };
            let told = dropped == 0 || write(&mut stream, notice(name, dropped).as_bytes()).is_ok();
            let mut queue = self.lock();
            queue.dropped += if told { 0 } else { dropped };
            queue.writing = false;
            if queue.lines.is_empty() {
                self.emptied.notify_all();
            }
        }
    }

    fn next(&self) -> Vec<u8> {
        let mut queue = self.lock();
        loop {
            if let Some(line) = queue.lines.pop_front() {
                queue.bytes -= line.len();
                queue.writing = true;
                return line;
            }
            queue = self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn notice(name: &str, dropped: u64) -> String {
    let mut line = String::new();
    let timed = SystemTime.format_time(&mut Writer::new(&mut line));
    debug_assert!(timed.is_ok(), "a string takes everything");
    line.push_str(&format!(
        "  WARN sms_config::telemetry: {dropped} log lines were dropped because {name} did not take them\n"
    ));
    line
}

/// Writes all of it, also where the stream is non-blocking: whoever shares the terminal or pipe may have made it so.
fn write(stream: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(taken) => bytes = bytes.get(taken..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    stream.flush()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    /// Takes a line when the test lets it.
    struct Gate(Receiver<io::Result<()>>, SyncSender<Vec<u8>>);

    impl Write for Gate {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(io::Error::other)??;
            self.1.send(line.to_vec()).map_err(io::Error::other)?;
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gated() -> (Lines, SyncSender<io::Result<()>>, Receiver<Vec<u8>>) {
        let ((open, opened), (taken, took)) = (sync_channel(100_000), sync_channel(100_000));
        (Lines::to("the stream", Gate(opened, taken)).unwrap(), open, took)
    }

    #[test]
    fn lines_are_written_in_order_and_a_flush_waits_for_the_last() {
        let (lines, open, took) = gated();
        for n in 0..1_000 {
            lines.put(format!("{n}\n").as_bytes());
            open.send(Ok(())).unwrap();
        }
        lines.flush(LONG);
        let written: Vec<_> = took.try_iter().map(|line| String::from_utf8(line).unwrap()).collect();
        assert_eq!(written, (0..1_000).map(|n| format!("{n}\n")).collect::<Vec<_>>());
    }

    #[test]
    fn a_stream_that_takes_nothing_holds_nobody_up_and_is_told_of_the_loss_when_it_takes_again() {
        let (lines, open, took) = gated();
        (0..100_000).for_each(|_| lines.put(b"line\n"));
        lines.flush(Duration::from_millis(1));
        (0..10_000).for_each(|_| open.send(Ok(())).unwrap());
        lines.flush(LONG);
        let written: Vec<_> = took.try_iter().map(|line| String::from_utf8(line).unwrap()).collect();
        let kept = written.iter().filter(|line| *line == "line\n").count();
        assert!((MOST_LINES..=MOST_LINES + 1).contains(&kept), "{kept}");
        let notices: Vec<_> = written.iter().filter(|line| *line != "line\n").collect();
        let expected = format!("{} log lines were dropped because the stream did not take them\n", 100_000 - kept);
        assert!(notices.len() == 1 && notices[0].ends_with(&expected), "{notices:?}");
    }

    #[test]
    fn bytes_are_bounded_as_lines_are() {
        let (lines, _open, _took) = gated();
        (0..1_000).for_each(|_| lines.put(&[b'x'; 10_000]));
        assert!(lines.0.lock().bytes <= MOST_BYTES);
        assert!(lines.0.lock().dropped >= 970);
    }

    #[test]
    fn a_stream_that_fails_or_would_block_is_tried_again_with_the_next_line() {
        let (lines, open, took) = gated();
        lines.put(b"lost\n");
        open.send(Err(ErrorKind::BrokenPipe.into())).unwrap();
        lines.flush(LONG);
        lines.put(b"kept\n");
        for answer in [Err(ErrorKind::WouldBlock.into()), Ok(()), Ok(())] {
            open.send(answer).unwrap();
        }
        lines.flush(LONG);
        assert_eq!(took.try_recv().unwrap(), b"kept\n");
        assert!(took.try_recv().unwrap().ends_with(b"1 log lines were dropped because the stream did not take them\n"));
    }
}
