//! The side that connects, and connects again.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use event_core::Bus;
use event_runtime::queue::Backoff;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::task::JoinHandle;

use super::caught::caught;
use super::drive::{Drive, now};
use super::end::{End, Status};
use super::error::{LinkError, LinkSetupError};
use super::plan::Plan;
use crate::wire::proto::frame::Proof;
use crate::wire::proto::session::SessionStats;

/// A stream, and what proves there who this side is.
pub(super) type Dialled<S> = Result<(S, Option<Proof>), LinkError>;

/// A link that connects, and again whenever the connection is lost. Dropped, it ends; what the peer does not have then is reported as abandoned.
#[must_use = "the link ends when this is dropped; keep it, and `close` it at the end"]
pub struct LinkClient {
    end: Arc<End>,
    task: JoinHandle<()>,
}

impl LinkClient {
    pub(super) fn start<S, F>(
        plan: Arc<Plan>,
        bus: &Bus,
        dial: impl FnMut() -> F + Send + 'static,
    ) -> Result<Self, LinkSetupError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        F: Future<Output = Dialled<S>> + Send + 'static,
    {
        let end = End::new(plan, bus, fastrand::u64(1..), None);
        if let Some(mut working) = end.take() {
            let offers = 0..end.plan.publish.len();
            end.open(working.get(), offers)?;
        }
        end.ask_from(bus, 0..end.plan.asks.len());
        let task = tokio::spawn(run(Arc::clone(&end), dial));
        Ok(Self { end, task })
    }

    /// Waits until the link is open.
    ///
    /// # Errors
    ///
    /// [`LinkError`] with what went wrong last if it was lost meanwhile. It tries again all the same.
    pub async fn opened(&self) -> Result<(), LinkError> {
        let mut status = self.end.status.subscribe();
        let ended = |status: &Status| !matches!(status, Status::Waiting);
        // The sender is kept by this handle.
        let Ok(status) = status.wait_for(ended).await else {
            return Err(LinkError::NoBus);
        };
        match &*status {
            Status::Lost(error) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// The figures of the link since it was made.
    pub fn stats(&self) -> SessionStats {
        self.end.stats()
    }

    /// Takes in nothing more, waits until the peer has everything, and says goodbye. Without a connection it ends at once if there is nothing to send.
    ///
    /// # Errors
    ///
    /// [`LinkError::TimedOut`] if that takes longer than `deadline`. What is left is reported as abandoned.
    pub async fn close(mut self, deadline: Duration) -> Result<(), LinkError> {
        self.end.close();
        let mut status = self.end.status.subscribe();
        let over = status.wait_for(|status| matches!(status, Status::Over));
        if tokio::time::timeout(deadline, over).await.is_ok() {
            return Ok(());
        }
        self.task.abort();
        // So that what is left is reported when this returns.
        let _ = (&mut self.task).await;
        let last = match &*self.end.status.borrow() {
            Status::Lost(error) => Some(Box::new(error.clone())),
            _ => None,
        };
        Err(LinkError::TimedOut { deadline, last })
    }
}

impl Drop for LinkClient {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for LinkClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkClient({})", self.end.plan.name)
    }
}

async fn run<S, F>(end: Arc<End>, mut dial: impl FnMut() -> F + Send)
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
    F: Future<Output = Dialled<S>> + Send,
{
    let (min, max) = end.plan.backoff;
    let backoff = Backoff::new(min, max);
    let mut tries = 0;
    loop {
        let since = now();
        let ended = caught(async { connection(&end, dial()).await }).await;
        end.wait_for_work().await.get().session.lost();
        end.lose_requests();
        match ended {
            Ok(()) if end.is_closing() => {
                // It may have had nothing to connect for.
                let is_open = matches!(*end.status.borrow(), Status::Open);
                if is_open {
                    end.tell_closed();
                }
                end.status.send_replace(Status::Over);
                return;
            }
            // The peer left; it may come again.
            Ok(()) => end.tell_lost(LinkError::Left),
            Err(LinkError::NoBus) => {
                end.status.send_replace(Status::Over);
                return;
            }
            Err(error) => end.tell_lost(error),
        }
        // One that stood for long was a good one, however it ended.
        if now().saturating_duration_since(since) > max {
            tries = 0;
        }
        let rest = tokio::time::sleep(backoff.delay(tries));
        if unless_done(&end, rest).await.is_none() {
            end.status.send_replace(Status::Over);
            return;
        }
        tries = tries.saturating_add(1);
    }
}

/// Waits for something, unless the link closes and there is nothing to have a connection for.
async fn unless_done<T>(end: &End, wait: impl Future<Output = T>) -> Option<T> {
    let mut wait = pin!(wait);
    poll_fn(|cx| {
        end.watch(cx);
        if end.is_done() {
            return Poll::Ready(None);
        }
        wait.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Ends well if both sides have said goodbye, or it was not needed any more.
async fn connection<S>(
    end: &Arc<End>,
    dial: impl Future<Output = Dialled<S>>,
) -> Result<(), LinkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let time = end.plan.limits().handshake_time();
    let dialling = tokio::time::timeout(time, dial);
    let Some(dialled) = unless_done(end, dialling).await else {
        return Ok(());
    };
    let dialled = dialled.map_err(|_| {
        let words = format!("there was no connection within {time:?}");
        io::Error::new(io::ErrorKind::TimedOut, words)
    })?;
    let (mut stream, proof) = dialled?;
    let generation = end.begin();
    end.wait_for_work()
        .await
        .get()
        .session
        .connect(proof, now());
    let ended = Drive::new(end, generation, &mut stream, BytesMut::new()).await;
    if ended.is_ok() {
        // The peer has all; whether it also hears of the end is no matter, and nobody waits for one that does not.
        let _ = tokio::time::timeout(time, stream.shutdown()).await;
    }
    ended
}
