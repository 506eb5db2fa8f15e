//! Where the answer of one request is put.

use std::any::Any;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use super::{Request, SharedError};
use crate::dispatch::stack;
use crate::sync::lock;
use crate::waits::Ends;

pub(crate) struct Port<E: Request> {
    state: Mutex<State<E::Reply>>,
    /// Somebody answers, or has ended without an answer.
    taken: AtomicBool,
    /// What is done when whoever asked waits no longer.
    given_up: Mutex<Option<GivenUp>>,
}

type GivenUp = Box<dyn FnOnce() + Send>;

pub(crate) enum State<R> {
    Waiting(Option<Waker>),
    Answered(R),
    Failed(SharedError),
    /// The answerer ended without an answer.
    Dropped,
    /// The bus was shut down.
    Cancelled,
    Over,
}

impl<E: Request> Port<E> {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State::Waiting(None)),
            taken: AtomicBool::new(false),
            given_up: Mutex::new(None),
        }
    }

    pub(crate) fn is_taken(&self) -> bool {
        self.taken.load(Ordering::Acquire)
    }

    pub(crate) fn is_waiting(&self) -> bool {
        matches!(*lock(&self.state), State::Waiting(_))
    }

    /// Ends the wait, unless it has ended.
    pub(crate) fn settle(&self, end: State<E::Reply>) {
        let mut state = lock(&self.state);
        if !matches!(*state, State::Waiting(_)) {
            // What comes too late is the user's, and dropped outside of the lock.
            drop(state);
            return;
        }
        let nobody = matches!(end, State::Over | State::Cancelled);
        let before = std::mem::replace(&mut *state, end);
        drop(state);
        if let State::Waiting(Some(waker)) = before {
            waker.wake();
        }
        self.end_wait(nobody);
    }

    /// The wait has ended: whether because nobody waits any more.
    fn end_wait(&self, nobody: bool) {
        let given_up = lock(&self.given_up).take();
        if let Some(given_up) = given_up.filter(|_| nobody) {
            given_up();
        }
    }

    /// Nobody waits for the answer any more.
    pub(crate) fn give_up(&self) {
        self.settle(State::Over);
    }

    /// The answer, or why there is none.
    pub(crate) fn poll(&self, waker: Waker) -> Poll<Result<E::Reply, State<E::Reply>>> {
        let mut state = lock(&self.state);
        if let State::Waiting(known) = &mut *state {
            let before = known.replace(waker);
            drop(state);
            drop(before);
            return Poll::Pending;
        }
        let end = std::mem::replace(&mut *state, State::Over);
        drop(state);
        match end {
            State::Answered(answer) => Poll::Ready(Ok(answer)),
            State::Over => panic!("a request was polled after it ended"),
            end => Poll::Ready(Err(end)),
        }
    }
}

impl<E: Request> Ends for Port<E> {
    fn end(&self) {
        self.settle(State::Cancelled);
    }
}

/// A port whose event is not known.
pub(crate) trait AnyPort: Send + Sync {
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
    /// The answerer begins.
    fn take(&self);
    /// The answerer ended with an error.
    fn fail(&self, error: SharedError);
    /// The answerer ended; unless it has answered, it does not.
    fn leave(&self);
}

impl<E: Request> AnyPort for Port<E> {
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }

    fn take(&self) {
        self.taken.store(true, Ordering::Release);
    }

    fn fail(&self, error: SharedError) {
        self.settle(State::Failed(error));
    }

    fn leave(&self) {
        self.settle(State::Dropped);
    }
}

/// The answerer's side of a port: dropped without an answer it says so.
#[doc(hidden)]
pub struct Reply<E: Request>(Arc<Port<E>>);

impl<E: Request> Reply<E> {
    /// The request that is delivered on this thread, for its answerer; nothing if nobody asked, or another answers.
    pub(crate) fn take() -> Option<Self> {
        let port = here()?.as_any().downcast::<Port<E>>().ok()?;
        let first = !port.taken.swap(true, Ordering::AcqRel);
        first.then_some(Self(port))
    }

    /// For who answers in the answerer's place.
    pub(crate) fn of(port: Arc<dyn AnyPort>) -> Option<Self> {
        let port = port.as_any().downcast::<Port<E>>().ok()?;
        port.take();
        Some(Self(port))
    }

    /// Has this done when whoever asked waits no longer, at once if that is so.
    pub fn when_given_up(&self, f: impl FnOnce() + Send + 'static) {
        *lock(&self.0.given_up) = Some(Box::new(f));
        let nobody = matches!(*lock(&self.0.state), State::Over | State::Cancelled);
        if nobody {
            self.0.end_wait(true);
        }
    }

    pub(crate) fn answer(self, answer: E::Reply) {
        self.0.settle(State::Answered(answer));
    }

    pub(crate) fn fail(self, error: SharedError) {
        self.0.fail(error);
    }
}

impl<E: Request> Drop for Reply<E> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl<E: Request> std::fmt::Debug for Reply<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reply({})", E::TOPIC)
    }
}

/// The request whose emission runs on this thread.
struct Asking {
    bus: u64,
    /// How many emissions stand on each other in its listeners. What they emit themselves stands higher.
    depth: usize,
    port: Arc<dyn AnyPort>,
}

thread_local! {
    static ASKING: RefCell<Option<Asking>> = const { RefCell::new(None) };
}

/// Puts the port where its answerer finds it, until this is dropped.
pub(crate) fn ask<E: Request>(bus: u64, port: &Arc<Port<E>>) -> Asked {
    let depth = stack::with(stack::Stack::depth) + 1;
    let port: Arc<Port<E>> = Arc::clone(port);
    Asked(set(Some(Asking { bus, depth, port })))
}

/// Puts back the request on which the one before stood.
pub(crate) struct Asked(Option<Asking>);

impl Drop for Asked {
    fn drop(&mut self) {
        drop(set(self.0.take()));
    }
}

/// At the end of a thread there is no place any more: then nobody answers.
fn set(asking: Option<Asking>) -> Option<Asking> {
    let replaced = ASKING.try_with(|place| place.replace(asking));
    replaced.unwrap_or_default()
}

/// The port of the emission that is delivered on this thread.
pub(crate) fn here() -> Option<Arc<dyn AnyPort>> {
    let (bus, depth) = stack::with(|stack| (stack.current_bus(), stack.depth()));
    let find = |place: &RefCell<Option<Asking>>| {
        let asking = place.borrow();
        let asking = asking.as_ref()?;
        (asking.bus == bus && asking.depth == depth).then(|| Arc::clone(&asking.port))
    };
    ASKING.try_with(find).ok().flatten()
}
