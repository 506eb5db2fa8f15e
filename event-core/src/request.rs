//! Requests: events that one listener answers.
//!
//! A request is an emission like any other. While it runs, its port stands on the emitting thread; the answerer takes it there before it is called,
//! and keeps it until its answer is there, wherever its future goes.

mod answer;
mod error;
mod port;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

pub(crate) use answer::SharedError;
pub use answer::{Answer, AnswerFallback, Answers, Asked, AskedFallback, check_request};
pub use error::{RequestError, RequestErrorKind};
pub use port::Reply;
pub(crate) use port::{AnyPort, here};

use port::{Port, State};

use crate::bus::{Bus, Inner};
use crate::dispatch::emission::EmissionFuture;
use crate::event::Event;
use crate::runtime::{Task, after};

/// An event that is answered: declared with `#[event(reply = Type)]`, never by hand.
///
/// One listener answers it, `#[listener(reply)]`; all others only observe. [`Bus::request`] gives the answer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request",
    label = "this event has no reply",
    note = "declare it with `#[event(reply = Type)]`"
)]
pub trait Request: Event {
    /// What it is answered with.
    type Reply: Send + 'static;
}

impl Bus {
    /// Emits an event and waits for the answer of the one listener that is declared with `#[listener(reply)]`.
    ///
    /// Inline listeners run before this returns, as with [`emit`](Bus::emit), so a plain function has answered by then. On a bus without a
    /// runtime the others run in the task that awaits this, which ends when all of them have.
    ///
    /// ```standalone_crate
    /// use tidings::{Bus, event, listener};
    ///
    /// #[event(reply = Quote)]
    /// struct GetQuote {
    ///     pieces: u64,
    /// }
    ///
    /// #[derive(Debug, PartialEq)]
    /// struct Quote {
    ///     cents: u64,
    /// }
    ///
    /// #[listener(reply)]
    /// async fn quote(e: &GetQuote) -> Quote {
    ///     Quote { cents: e.pieces * 250 }
    /// }
    ///
    /// # futures::executor::block_on(async {
    /// let bus = Bus::builder().build()?;
    /// assert_eq!(bus.request(GetQuote { pieces: 4 }).await?, Quote { cents: 1000 });
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The future ends with a [`RequestError`], whose [`kind`](RequestError::kind) says why there is no answer.
    #[track_caller]
    pub fn request<E: Request>(&self, event: E) -> RequestFuture<E> {
        self.inner().request(event, Location::caller())
    }
}

impl Inner {
    pub(crate) fn request<E: Request>(
        self: &Arc<Self>,
        event: E,
        location: &'static Location<'static>,
    ) -> RequestFuture<E> {
        let port = Arc::new(Port::<E>::new());
        let emission = {
            let _asking = port::ask(self.id, &port);
            self.emit_from(event, location)
        };
        let refused = emission.refusal();
        let mut request = RequestFuture {
            bus: Arc::clone(self),
            emission: Some(emission.into_future()),
            refused,
            wait: None,
            timeout: None,
            port,
        };
        if request.port.is_taken() && request.port.is_waiting() {
            let waiting: Weak<Port<E>> = Arc::downgrade(&request.port);
            request.wait = self.told_of_the_end(waiting);
            if request.wait.is_none() {
                request.port.settle(State::Cancelled);
            }
        }
        request
    }
}

/// The answer to a request: see [`Bus::request`].
///
/// Dropped, it changes nothing for the listeners: what they are doing goes on as with an [`Emission`](crate::Emission) that is dropped, and the answer
/// is dropped.
#[must_use = "nobody looks at the answer: `.await` it, or `emit` the event"]
pub struct RequestFuture<E: Request> {
    bus: Arc<Inner>,
    emission: Option<EmissionFuture>,
    port: Arc<Port<E>>,
    /// Why the emission as a whole failed.
    refused: Option<String>,
    /// Its number among those who are told of the end of the bus.
    wait: Option<u64>,
    timeout: Option<(Duration, Task)>,
}

impl<E: Request> RequestFuture<E> {
    /// Waits at most for this time from now, on the clock of the bus's runtime; then it ends with [`RequestErrorKind::TimedOut`].
    pub fn within(mut self, time: Duration) -> Self {
        let at = after(self.bus.now(), time);
        self.timeout = Some((time, self.bus.sleep_steadily(at)));
        self
    }

    /// The answer if it is there already: that of a plain function. Async listeners go to the bus's runtime, as with
    /// [`report`](crate::Emission::report).
    ///
    /// ```standalone_crate
    /// use tidings::{Bus, event, listener};
    ///
    /// #[event(reply = u64)]
    /// struct GetPrice {
    ///     pieces: u64,
    /// }
    ///
    /// #[listener(reply)]
    /// fn price(e: &GetPrice) -> u64 {
    ///     e.pieces * 250
    /// }
    ///
    /// let bus = Bus::builder().build()?;
    /// assert_eq!(bus.request(GetPrice { pieces: 4 }).now()?, 1000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As when it is awaited, and [`RequestErrorKind::NotReady`] if the answer takes longer.
    pub fn now(mut self) -> Result<E::Reply, RequestError> {
        drop(self.emission.take());
        match self.poll_answer(Waker::noop().clone()) {
            Poll::Ready(answer) => answer,
            Poll::Pending => Err(Self::error(RequestErrorKind::NotReady)),
        }
    }

    fn error(kind: RequestErrorKind) -> RequestError {
        RequestError::new(kind, E::TOPIC)
    }

    fn poll_answer(&self, waker: Waker) -> Poll<Result<E::Reply, RequestError>> {
        let Poll::Ready(end) = self.port.poll(waker) else {
            if self.port.is_taken() {
                return Poll::Pending;
            }
            return Poll::Ready(Err(match &self.refused {
                Some(why) => RequestError::refused(E::TOPIC, why),
                None => Self::error(RequestErrorKind::NoListener),
            }));
        };
        Poll::Ready(match end {
            Ok(answer) => Ok(answer),
            Err(State::Failed(error)) => Err(RequestError::failed(E::TOPIC, error)),
            Err(State::Cancelled) => Err(Self::error(RequestErrorKind::Cancelled)),
            Err(_) => Err(Self::error(RequestErrorKind::Dropped)),
        })
    }

    /// Whether nobody needs this task to run listeners, or to wait for room.
    fn may_leave(&self) -> bool {
        self.emission
            .as_ref()
            .is_none_or(EmissionFuture::may_be_left)
    }
}

impl<E: Request> Future for RequestFuture<E> {
    type Output = Result<E::Reply, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let who = std::ptr::from_ref(&*self).addr();
        if let Some(emission) = &mut self.emission {
            if Pin::new(emission).poll(cx).is_ready() {
                self.emission = None;
            }
        }
        if self.may_leave() {
            let answer = self.poll_answer(cx.waker().clone());
            if answer.is_ready() {
                return answer;
            }
        }
        if let Some((time, timeout)) = &mut self.timeout {
            let time = *time;
            if timeout.as_mut().poll(cx).is_ready() {
                let answer = self.poll_answer(cx.waker().clone());
                if answer.is_ready() {
                    return answer;
                }
                self.port.give_up();
                if let Some(emission) = self.emission.take() {
                    let topic = E::TOPIC;
                    let why = format!(
                        "nobody waits for the answer to `{topic}` after {time:?}, and on a bus without a runtime its listeners run in the task that asked: give the bus a runtime, or the request more time"
                    );
                    emission.let_go(&why.into());
                }
                return Poll::Ready(Err(RequestError::timed_out(E::TOPIC, time)));
            }
        }
        if self.emission.is_none() {
            if let Some(runtime) = self.bus.runtime() {
                runtime.help(who, cx);
            }
        }
        Poll::Pending
    }
}

impl<E: Request> Drop for RequestFuture<E> {
    fn drop(&mut self) {
        if let Some(id) = self.wait {
            self.bus.told_no_more(id);
        }
        self.port.give_up();
    }
}

impl<E: Request> fmt::Debug for RequestFuture<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestFuture({})", E::TOPIC)
    }
}
