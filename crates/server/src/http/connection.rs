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

use super::file_frames::{Part, part_of};

/// Whoever takes nothing of an answer for so long gets no more of it.
const PATIENCE: Duration = Duration::from_mins(1);
/// The kernel is given so many bytes to send at a time, so that others have their turn.
const AT_ONCE: usize = 1 << 20;

/// One client's connection.
pub struct Connection {
    stream: TokioIo<TcpStream>,
    /// Until when what is waiting has to be taken; absent while nothing waits.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub fn new(stream: TcpStream) -> Self {
        Self {
            stream: TokioIo::new(stream),
            deadline: None,
        }
    }

    /// Has the kernel send what it can of a file.
    fn poll_send(
        &self,
        context: &mut Context<'_>,
        part: &Part,
        length: usize,
    ) -> Poll<io::Result<usize>> {
        let stream = self.stream.inner();
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
        let parts = buffers.iter().map(|buffer| part_of(buffer));
        let first = parts
            .enumerate()
            .find_map(|(index, part)| Some((index, part?)));
        match first {
            Some((0, part)) => self.poll_send(context, &part, buffers[0].len()),
            Some((index, _)) => {
                Pin::new(&mut self.stream).poll_write_vectored(context, &buffers[..index])
            }
            None => Pin::new(&mut self.stream).poll_write_vectored(context, buffers),
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
        Pin::new(&mut self.stream).poll_read(context, buffer)
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
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        self.in_time(context, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
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
