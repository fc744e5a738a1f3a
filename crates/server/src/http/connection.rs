//! A connection as hyper sees it: it sends parts of files without reading them, and ends for whoever takes nothing.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use tokio_rustls::server::TlsStream;

use super::file_frames::{Part, part_of};
use super::pulse::Pulse;

/// Whoever takes nothing of an answer for so long gets no more of it.
const PATIENCE: Duration = Duration::from_mins(1);
/// The kernel is given so many bytes to send at a time, so that others have their turn.
const AT_ONCE: usize = 1 << 20;

/// What bytes go over.
pub enum Wire {
    Plain(TokioIo<TcpStream>),
    /// Files are read here, for they have to be sealed.
    Secure(TokioIo<Box<TlsStream<TcpStream>>>),
}

impl Wire {
    pub fn plain(stream: TcpStream) -> Self {
        Self::Plain(TokioIo::new(stream))
    }

    pub fn secure(stream: TlsStream<TcpStream>) -> Self {
        Self::Secure(TokioIo::new(Box::new(stream)))
    }

    fn poll_write_vectored(
        &mut self,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, buffers),
            Self::Secure(stream) => Pin::new(stream).poll_write_vectored(context, buffers),
        }
    }
}

/// One client's connection.
pub struct Connection {
    wire: Wire,
    pulse: Pulse,
    /// Until when what is waiting has to be taken; absent while nothing waits.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub fn new(wire: Wire, pulse: Pulse) -> Self {
        Self {
            wire,
            pulse,
            deadline: None,
        }
    }

    /// Has the kernel send what it can of a file.
    fn poll_send(
        stream: &TcpStream,
        context: &mut Context<'_>,
        part: &Part,
        length: usize,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(stream.poll_write_ready(context))?;
            let sent = stream.try_io(Interest::WRITABLE, || {
                let mut offset = part.offset;
                rustix::fs::sendfile(stream, &*part.file, Some(&mut offset), length.min(AT_ONCE))
                    .map_err(io::Error::from)
            });
            match sent {
                Ok(0) => {
                    let gone = "the file is shorter than it was";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, gone)));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                sent => return Poll::Ready(sent),
            }
        }
    }

    /// What is written in turn: the buffers before the first part of a file, or that part.
    fn poll_write_first(
        &mut self,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Wire::Plain(stream) = &self.wire else {
            return self.wire.poll_write_vectored(context, buffers);
        };
        let parts = buffers.iter().map(|buffer| part_of(buffer));
        let first = parts
            .enumerate()
            .find_map(|(index, part)| Some((index, part?)));
        match first {
            Some((0, part)) => Self::poll_send(stream.inner(), context, &part, buffers[0].len()),
            Some((index, _)) => self.wire.poll_write_vectored(context, &buffers[..index]),
            None => self.wire.poll_write_vectored(context, buffers),
        }
    }

    /// Lets nothing wait for longer than is fair.
    fn in_time<T>(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.deadline = None;
            return polled;
        }
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + PATIENCE)));
        ready!(deadline.as_mut().poll(context));
        let late = "the client takes nothing of the answer";
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, late)))
    }
}

impl Read for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = match &mut self.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Wire::Secure(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        if polled.is_ready() {
            self.pulse.heard();
        }
        polled
    }
}

impl Write for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = self.poll_write_first(context, &[IoSlice::new(buffer)]);
        self.in_time(context, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = match &mut self.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_flush(context),
            Wire::Secure(stream) => Pin::new(stream).poll_flush(context),
        };
        self.in_time(context, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Wire::Secure(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = self.poll_write_first(context, buffers);
        self.in_time(context, polled)
    }
}
