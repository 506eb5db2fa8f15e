//! A child without events: what goes in, and what comes out.

use std::fs::File;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::command::{Command, Spawned};
use super::status::ExitStatus;
use crate::error::TransportError;
use crate::stream::{Direction, PipeIo};

/// What a command has left: see [`communicate`].
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to its standard output; empty if that is no pipe.
    pub stdout: Vec<u8>,
    /// What it wrote to its standard error; empty if that is no pipe.
    pub stderr: Vec<u8>,
}

/// Runs a command to its end: it gets `input`, and what it writes is collected, up to `limit` bytes of its output and as many of its errors.
///
/// That it does not read its input is no error. It works in every task that has tokio's reactor, not only in those of an event loop. Dropped before its end,
/// it kills the child. The end is also that of the child's own children that have its pipes; `lp.timeout(..)` is for those that do not end.
///
/// ```
/// use tidings::EventLoop;
/// use tidings::transport::{TransportErrorKind, command, communicate, shell};
///
/// let lp = EventLoop::new()?;
/// lp.run_until_complete(async {
///     let sorted = communicate(command("sort"), "tea\ncoffee\n", 1000).await?;
///     assert!(sorted.status.is_success());
///     assert_eq!(sorted.stdout, b"coffee\ntea\n");
///
///     let failed = communicate(shell("echo no coffee >&2; exit 3"), "", 1000).await?;
///     assert_eq!(failed.status.code(), Some(3));
///     assert_eq!(failed.stderr, b"no coffee\n");
///
///     let endless = communicate(command("yes"), "", 1000).await;
///     assert_eq!(endless.unwrap_err().kind(), TransportErrorKind::TooMuchOutput);
///     Ok::<_, tidings::transport::TransportError>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`Spawn`](crate::TransportErrorKind::Spawn) if the command cannot be run, [`TooMuchOutput`](crate::TransportErrorKind::TooMuchOutput) beyond the limit,
/// when the child is killed, [`NoReactor`](crate::TransportErrorKind::NoReactor) in virtual time.
pub async fn communicate(
    command: impl Into<Command>,
    input: impl Into<Bytes>,
    limit: usize,
) -> Result<Output, TransportError> {
    let Spawned { mut child, pipes } = command.into().spawn()?;
    let [stdin, stdout, stderr] = pipes;
    let (mut written, mut out, mut err, mut status) = (None, None, None, None);
    {
        let mut write = pin!(write(stdin, input.into()));
        let mut read_out = pin!(read(stdout, limit));
        let mut read_err = pin!(read(stderr, limit));
        poll_fn(|cx| {
            let all = [
                step(&mut written, || write.as_mut().poll(cx))?,
                step(&mut out, || read_out.as_mut().poll(cx))?,
                step(&mut err, || read_err.as_mut().poll(cx))?,
                step(&mut status, || child.poll(cx).map(Ok))?,
            ];
            if all == [true; 4] {
                Poll::Ready(Ok::<_, TransportError>(()))
            } else {
                Poll::Pending
            }
        })
        .await?;
    }
    Ok(Output {
        status: status.unwrap_or(ExitStatus::UNKNOWN),
        stdout: out.unwrap_or_default(),
        stderr: err.unwrap_or_default(),
    })
}

/// Whether a part has come to its end.
fn step<T>(
    done: &mut Option<T>,
    poll: impl FnOnce() -> Poll<Result<T, TransportError>>,
) -> Result<bool, TransportError> {
    if done.is_none() {
        if let Poll::Ready(value) = poll() {
            *done = Some(value?);
        }
    }
    Ok(done.is_some())
}

async fn write(pipe: Option<File>, input: Bytes) -> Result<(), TransportError> {
    let Some(pipe) = pipe else {
        return Ok(());
    };
    let mut pipe = PipeIo::new(pipe, Direction::Out).map_err(TransportError::pipes)?;
    match pipe.write_all(&input).await {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(TransportError::pipes(error))
        }
        _ => Ok(()),
    }
}

async fn read(pipe: Option<File>, limit: usize) -> Result<Vec<u8>, TransportError> {
    let mut data = Vec::new();
    let Some(pipe) = pipe else {
        return Ok(data);
    };
    let pipe = PipeIo::new(pipe, Direction::In).map_err(TransportError::pipes)?;
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = pipe.take(most).read_to_end(&mut data).await;
    read.map_err(TransportError::pipes)?;
    if data.len() > limit {
        return Err(TransportError::too_much_output(limit));
    }
    Ok(data)
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output")
            .field("status", &self.status)
            .field("stdout", &self.stdout.len())
            .field("stderr", &self.stderr.len())
            .finish()
    }
}
