//! One connection's bytes, TCP or Unix: the same type for both, so that hyper is compiled once.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::net::{RecvFlags, recv};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::pulse::Pulse;

/// How many bytes are thrown away by one read, and by how many reads before it is the turn of others.
const DISCARDED_AT_A_TIME: usize = 4096;
const DISCARDS: usize = 16;

/// What a listener accepts.
pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// The same call on whichever socket it is.
macro_rules! either {
    ($socket:expr, $poll:ident $(, $argument:expr)*) => {
        match $socket {
            Socket::Tcp(stream) => Pin::new(stream).$poll($($argument),*),
            Socket::Unix(stream) => Pin::new(stream).$poll($($argument),*),
        }
    };
}

impl Socket {
    /// Returns once the other side has sent something, or has gone.
    pub(super) async fn spoke(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.async_io(Interest::READABLE, || peek(stream)).await,
            Self::Unix(stream) => stream.async_io(Interest::READABLE, || peek(stream)).await,
        }
    }
}

/// Looks whether something has come, and leaves it there.
fn peek(stream: impl AsFd) -> io::Result<()> {
    recv(stream, &mut [0_u8; 1], RecvFlags::PEEK)?;
    Ok(())
}

/// A socket whose comings and goings the pulse of its connection follows.
pub(super) struct Watched {
    socket: Socket,
    pulse: Arc<Pulse>,
    stalled: bool,
    /// Whether, at the end, what still comes is read and thrown away until the other side ends the connection too. Closed
    /// with bytes unread, a connection is reset, and the other side may lose the answer.
    lingers: bool,
    shut: bool,
}

impl Watched {
    /// Nothing has happened on it yet.
    pub(super) fn new(socket: Socket, pulse: Arc<Pulse>, lingers: bool) -> Self {
        Self { socket, pulse, stalled: false, lingers, shut: false }
    }

    /// Writes these bytes, says that no more will come, and waits until the other side ends the connection too, if it lingers.
    pub(super) async fn finish_with(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = poll_fn(|cx| Pin::new(&mut *self).poll_write(cx, bytes)).await?;
            bytes = bytes.get(written..).filter(|_| written > 0).ok_or(io::ErrorKind::WriteZero)?;
        }
        poll_fn(|cx| Pin::new(&mut *self).poll_shutdown(cx)).await
    }

    /// Throws away what comes until the other side ends the connection.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut room = [MaybeUninit::uninit(); DISCARDED_AT_A_TIME];
        for _ in 0..DISCARDS {
            let mut buffer = ReadBuf::uninit(&mut room);
            ready!(either!(&mut self.socket, poll_read, cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
        // Others want to be served as well.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Follows a write: one that is pending means that the other side does not read.
    fn wrote<T>(&mut self, poll: Poll<T>) -> Poll<T> {
        if poll.is_pending() != self.stalled {
            self.stalled = poll.is_pending();
            self.pulse.stalled(self.stalled);
        }
        poll
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(either!(&mut self.socket, poll_read, cx, buffer))?;
        if buffer.filled().len() > before {
            self.pulse.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let poll = either!(&mut self.socket, poll_write, cx, bytes);
        self.wrote(poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = either!(&mut self.socket, poll_write_vectored, cx, slices);
        self.wrote(poll)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(&mut self.socket, poll_flush, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.shut {
            ready!(either!(&mut self.socket, poll_shutdown, cx))?;
            self.shut = true;
        }
        if self.lingers { self.poll_discard(cx) } else { Poll::Ready(Ok(())) }
    }
}
