//! One connection's bytes, TCP or Unix: the same type for both, so that hyper is compiled once.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::pulse::Pulse;

/// What a listener accepts.
pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A socket whose comings and goings the pulse of its connection follows.
pub(super) struct Watched {
    socket: Socket,
    pulse: Arc<Pulse>,
    stalled: bool,
}

impl Watched {
    /// Nothing has happened on it yet.
    pub(super) fn new(socket: Socket, pulse: Arc<Pulse>) -> Self {
        Self { socket, pulse, stalled: false }
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

/// The same call on whichever socket it is.
macro_rules! either {
    ($self:expr, $poll:ident $(, $argument:expr)*) => {
        match &mut $self.socket {
            Socket::Tcp(stream) => Pin::new(stream).$poll($($argument),*),
            Socket::Unix(stream) => Pin::new(stream).$poll($($argument),*),
        }
    };
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(either!(self, poll_read, cx, buffer))?;
        if buffer.filled().len() > before {
            self.pulse.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let poll = either!(self, poll_write, cx, bytes);
        self.wrote(poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = either!(self, poll_write_vectored, cx, slices);
        self.wrote(poll)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, poll_flush, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, poll_shutdown, cx)
    }
}
