//! What TLS adds to a connection: handshakes, before it is made or in the middle of it, and an end that both sides know of.

use std::cell::{Cell, OnceCell, RefCell};
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;

use super::conn::Conn;
use super::io::Io;
use super::output::poll_shutdown;
use crate::error::ConnectionError;
use crate::life::{End, Stage};
use crate::tls::{Layer, ReadAhead, Secure, Secured, TlsError, TlsErrorKind, is_gone, why};

/// How a handshake in the middle of a connection ended.
pub(crate) type Outcome = Rc<OnceCell<Result<(), ConnectionError>>>;

type Shaking = Pin<Box<dyn Future<Output = io::Result<Secured>>>>;

/// The TLS of one connection, if it has any.
#[derive(Default)]
pub(super) struct Tls {
    /// Handshakes that are to be done, one upon the other; the first is the last of these.
    layers: RefCell<Vec<Layer>>,
    /// What was read before and belongs to the next handshake.
    first: RefCell<Bytes>,
    shaking: RefCell<Option<Shaking>>,
    outcome: RefCell<Option<Outcome>>,
    /// How long the handshake in the middle of the connection may still wait for what is to be written before it.
    patience: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>>,
    /// The stream of the topmost TLS, and how long its end may take.
    stream: RefCell<Option<Secure>>,
    shutdown: Cell<Duration>,
    /// The end of that time, once it runs.
    deadline: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>>,
    /// Why the connection was not made.
    failure: RefCell<Option<ConnectionError>>,
}

impl Tls {
    pub(super) fn new(mut layers: Vec<Layer>) -> Self {
        layers.reverse();
        Self {
            layers: RefCell::new(layers),
            ..Self::default()
        }
    }

    fn is_shaking(&self) -> bool {
        !self.layers.borrow().is_empty() || self.shaking.borrow().is_some()
    }

    pub(super) fn is_there(&self) -> bool {
        self.stream.borrow().is_some() || self.is_shaking()
    }

    /// What is to be dropped with the connection.
    pub(super) fn take(&self) -> impl Sized + use<> {
        (
            self.layers.take(),
            self.shaking.take(),
            self.stream.take(),
            self.deadline.take(),
            self.patience.take(),
        )
    }
}

impl Conn {
    /// Begins a handshake in the middle of the connection: what is written from now on waits for its end, and nothing is read.
    pub(crate) fn begin_tls(&self, layer: Layer, first: Bytes) -> Result<Outcome, TlsError> {
        let refused = |why: &str| Err(TlsError::new(TlsErrorKind::Refused, why));
        if self.is_closing() {
            return refused("TLS cannot begin on a connection that is closing or lost");
        }
        if self.tls.is_shaking() {
            return refused("a TLS handshake of this connection is going on: wait for its end");
        }
        if self.has_read_all() || self.output.has_eof() {
            return refused("TLS cannot begin when one direction of the connection has ended");
        }
        let limit = layer.limits().handshake;
        *self.tls.patience.borrow_mut() = Some(Box::pin(self.lp.sleep(limit)));
        self.tls.layers.borrow_mut().push(layer);
        *self.tls.first.borrow_mut() = first;
        self.output.hold();
        self.wake();
        let outcome = Outcome::default();
        *self.tls.outcome.borrow_mut() = Some(Rc::clone(&outcome));
        Ok(outcome)
    }

    /// Waits for the end of a handshake in the middle of the connection.
    pub(crate) async fn handshake_ended(&self, outcome: &Outcome) -> Result<(), ConnectionError> {
        loop {
            if let Some(ended) = outcome.get() {
                return ended.clone();
            }
            if self.is_lost() {
                return Err(ConnectionError::dropped());
            }
            self.changed.notified().await;
        }
    }

    pub(crate) fn export_keys(
        &self,
        label: &[u8],
        context: Option<&[u8]>,
        bytes: usize,
    ) -> Result<Vec<u8>, TlsError> {
        match &*self.tls.stream.borrow() {
            Some(stream) => stream.export(label, context, bytes),
            None => Err(TlsError::new(
                TlsErrorKind::NotSecured,
                "the connection has no TLS, or is lost: keys are exported between its handshake and `ConnectionLost`",
            )),
        }
    }

    /// Whether no handshake is left to be done.
    pub(super) fn is_ready(&self) -> bool {
        !self.tls.is_shaking()
    }

    /// Why the connection was not made.
    pub(super) fn take_failure(&self) -> Option<ConnectionError> {
        self.tls.failure.take()
    }

    /// Does what handshakes there are to do. Whether the connection goes on.
    pub(super) fn shake_hands(self: &Rc<Self>, cx: &mut Context<'_>) -> Poll<bool> {
        while self.tls.is_shaking() {
            // A connection that ends now ends at once.
            if self.is_closing() {
                return Poll::Ready(false);
            }
            if self.tls.shaking.borrow().is_none() && !self.begin_handshake() {
                return self.wait_for_output(cx);
            }
            // The future may run code of the user's, which may look here.
            let Some(mut shaking) = self.tls.shaking.take() else {
                return Poll::Pending;
            };
            match shaking.as_mut().poll(cx) {
                Poll::Pending => {
                    *self.tls.shaking.borrow_mut() = Some(shaking);
                    return Poll::Pending;
                }
                Poll::Ready(Ok(secured)) => self.secured(secured),
                Poll::Ready(Err(error)) => {
                    self.shaken(Err(ConnectionError::io(error)));
                    return Poll::Ready(false);
                }
            }
        }
        Poll::Ready(true)
    }

    /// A peer that takes nothing has as long for that as for the handshake.
    fn wait_for_output(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let Some(mut patience) = self.tls.patience.take() else {
            return Poll::Pending;
        };
        if patience.as_mut().poll(cx).is_pending() {
            *self.tls.patience.borrow_mut() = Some(patience);
            return Poll::Pending;
        }
        let text = "the peer did not take in time what was written before the TLS handshake";
        let error = io::Error::new(io::ErrorKind::TimedOut, text);
        self.shaken(Err(ConnectionError::io(error)));
        Poll::Ready(false)
    }

    /// Ends a connection whose handshake failed, or that was closed before its end.
    pub(super) fn lose_in_handshake(self: &Rc<Self>) {
        let error = match self.end.borrow().clone() {
            Some(End::Aborted(error)) => error,
            Some(End::Closed) | None => None,
        };
        self.lose(error);
        let closed = io::Error::new(
            io::ErrorKind::ConnectionAborted,
            "the connection was closed before the TLS handshake had ended",
        );
        self.shaken(Err(ConnectionError::io(closed)));
    }

    /// Closes the connection although a listener wants to go on writing.
    pub(super) fn close_in_spite(&self) {
        self.close();
        let told = Ok("TLS has no half-close: `AfterEof::KeepWriting` is not kept, and the connection is closed".into());
        self.tell_failed("EofReceived", Location::caller(), told);
    }

    /// Hands the stream over to the next handshake, once everything has been written that was to be written before. Whether it did.
    fn begin_handshake(self: &Rc<Self>) -> bool {
        self.write_buffered();
        if self.is_closing() || !self.output.is_drained() {
            return false;
        }
        let (io, layer) = (self.io.take(), self.tls.layers.borrow_mut().pop());
        let (Some(io), Some(layer)) = (io, layer) else {
            return false;
        };
        drop(self.tls.patience.take());
        let limits = layer.limits();
        self.tls.shutdown.set(limits.shutdown);
        let io = Box::pin(ReadAhead::new(self.tls.first.take(), io));
        let shaking = self.lp.timeout(limits.handshake, layer.shake(io));
        let shaking = async move {
            shaking.await.unwrap_or_else(|_| {
                let text = format!("the TLS handshake took longer than {:?}", limits.handshake);
                Err(io::Error::new(io::ErrorKind::TimedOut, text))
            })
        };
        *self.tls.shaking.borrow_mut() = Some(Box::pin(shaking));
        true
    }

    fn secured(self: &Rc<Self>, (stream, facts): Secured) {
        let stream = Secure::new(stream);
        self.facts.facts().tls.set(facts);
        *self.tls.stream.borrow_mut() = Some(stream.clone());
        let io: Pin<Box<dyn Io>> = Box::pin(stream);
        *self.io.borrow_mut() = Some(io);
        if !self.tls.is_shaking() {
            self.output.release();
            self.shaken(Ok(()));
        }
    }

    fn shaken(&self, ended: Result<(), ConnectionError>) {
        if let (Err(error), false) = (&ended, self.is_closing()) {
            if self.stage.get() == Stage::New {
                *self.tls.failure.borrow_mut() = Some(error.clone());
            }
            self.abort(Some(error.clone()));
        }
        if let Some(outcome) = self.tls.outcome.take() {
            // It is new with each handshake.
            let _ = outcome.set(ended);
            self.changed.notify_waiters();
        }
    }

    /// Whether the end of TLS has taken too long, with what is still to be written: a peer that reads nothing does not keep the connection.
    pub(super) fn is_overdue(&self) -> bool {
        let Some(waker) = self.task_waker() else {
            return false;
        };
        let deadline = self.tls.deadline.take();
        let mut deadline = deadline.unwrap_or_else(|| {
            let limit = self.tls.shutdown.get();
            Box::pin(self.lp.sleep(limit))
        });
        let cx = &mut Context::from_waker(&waker);
        let is_over = deadline.as_mut().poll(cx).is_ready();
        if is_over {
            let limit = self.tls.shutdown.get();
            let text = format!("the peer did not end TLS within {limit:?}");
            self.fail(io::Error::new(io::ErrorKind::TimedOut, text));
        } else {
            *self.tls.deadline.borrow_mut() = Some(deadline);
        }
        is_over
    }

    /// Says that TLS ends, and waits until the peer has said so too. Whether that is done.
    pub(super) fn end_tls(&self) -> bool {
        let Some(waker) = self.task_waker() else {
            return false;
        };
        let cx = &mut Context::from_waker(&waker);
        match self.with_io(poll_shutdown) {
            Some(Poll::Ready(Ok(()))) => self.has_read_all() || self.skip_rest(cx),
            // Everything had been written, and the peer has said that it is gone.
            Some(Poll::Ready(Err(error))) if self.has_read_all() && is_gone(error.kind()) => true,
            Some(Poll::Ready(Err(error))) => {
                self.fail(why(error, None));
                false
            }
            Some(Poll::Pending) | None => false,
        }
    }

    /// Reads what nobody wants any more. Whether the peer has ended.
    fn skip_rest(&self, cx: &mut Context<'_>) -> bool {
        match self.poll_skip(cx) {
            Poll::Pending => false,
            Poll::Ready(Ok(true)) => {
                // The others have their turn first.
                cx.waker().wake_by_ref();
                false
            }
            Poll::Ready(Ok(false)) => true,
            // It was this side that ended the connection, so how the other one did is of no account.
            Poll::Ready(Err(error)) if is_gone(error.kind()) => true,
            Poll::Ready(Err(error)) => {
                self.fail(error);
                false
            }
        }
    }
}
