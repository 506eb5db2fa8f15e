//! What a test kit sees of a bus, and what it may change. A bus without one pays for it nowhere on the inline path.

use std::any::Any;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::build::installer::BoxFuture;
use crate::bus::Inner;
use crate::dispatch::failure::Failure;
use crate::dispatch::stack::{self, Entry};
use crate::event::EventOps;
use crate::listener::ListenerInfo;
use crate::listener::returns::{Effects, Step};
use crate::request::{self, Answer, Answers, AnyPort, Reply, Request, SharedError};
use crate::runtime::after;

/// Sees every emission and every delivery of a bus.
#[doc(hidden)]
pub trait Interceptor: Send + Sync + 'static {
    /// An event is about to be delivered: its number on this bus, and how often it is delivered.
    fn emitted(&self, emission: Emitted) -> (u64, usize);
    /// A queue accepted a delivery.
    fn accepted(&self, attempt: &Attempt);
    /// A listener is about to be called, for the first time or again; what is returned is given back at the end.
    fn begun(&self, attempt: &Attempt) -> usize;
    /// Whether the listener may be called otherwise than as it is.
    fn changes(&self, listener: &ListenerInfo) -> bool;
    /// How long to wait before it is called.
    fn delay(&self, listener: &ListenerInfo) -> Option<Duration>;
    /// How the call goes wrong instead of being made: the step of a listener that fails, or a panic.
    fn fault(&self, listener: &ListenerInfo) -> Option<Step>;
    /// What is done instead of the call. It may panic as the listener may.
    fn instead(&self, attempt: &Attempt, payload: &dyn Any) -> Option<Step>;
    /// The call ended.
    fn ended(&self, begun: usize, end: CallEnd<'_>);
    /// A failure was reported, of so many deliveries.
    fn failed(&self, failure: &Failure, deliveries: usize);
}

/// One emission.
#[doc(hidden)]
pub struct Emitted {
    pub(crate) ops: &'static EventOps,
    /// `None` for a payload that threads cannot share.
    pub payload: Option<Arc<dyn Any + Send + Sync>>,
    pub location: Option<&'static Location<'static>>,
    /// How many emissions stand on each other.
    pub depth: usize,
    pub(crate) cause: Option<Entry>,
}

impl Emitted {
    pub fn topic(&self) -> &'static str {
        (self.ops.info)().topic()
    }

    pub fn type_id(&self) -> std::any::TypeId {
        (self.ops.type_id)()
    }

    pub fn type_name(&self) -> &'static str {
        (self.ops.type_name)()
    }

    /// The emission that led to it, and the listener that made it.
    pub fn cause(&self) -> Option<(u64, Option<ListenerInfo>)> {
        self.cause.map(|cause| (cause.number(), cause.listener()))
    }
}

/// One call of a listener.
#[doc(hidden)]
#[derive(Clone)]
pub struct Attempt {
    pub listener: ListenerInfo,
    /// The number of the emission.
    pub emission: u64,
    pub(crate) ops: &'static EventOps,
    /// The request that it answers.
    pub(crate) port: Option<Arc<dyn AnyPort>>,
}

impl Attempt {
    /// For a delivery that is made on this thread.
    pub(crate) fn here(listener: &ListenerInfo, emission: u64, ops: &'static EventOps) -> Self {
        Self {
            listener: listener.clone(),
            emission,
            ops,
            port: listener.replies().then(request::here).flatten(),
        }
    }

    /// What an answer comes to that is given in the listener's place.
    pub fn answer<E: Request>(&self, answer: impl Answers<E::Reply>) -> Step {
        let reply = self.port.clone().and_then(Reply::<E>::of);
        Answer::<E, _>::new(answer).step(reply)
    }

    /// Tells who asked of an error that was put in the listener's place.
    fn tell(&self, step: Step) -> Step {
        match (&self.port, step) {
            (Some(port), Step::More(mut effects)) => {
                if let Some(error) = effects.error.take() {
                    let error = SharedError::from(error);
                    port.fail(error.clone());
                    effects.error = Some(Box::new(error));
                }
                Step::More(effects)
            }
            (_, step) => step,
        }
    }

    pub fn topic(&self) -> &'static str {
        (self.ops.info)().topic()
    }

    /// Runs `f` on the event for who knows no type.
    pub fn with_event<R>(&self, payload: &dyn Any, f: impl FnOnce(&crate::AnyEvent<'_>) -> R) -> R {
        f(&crate::AnyEvent::local(self.ops, payload))
    }
}

/// How a call ended.
#[doc(hidden)]
#[derive(Debug)]
pub enum CallEnd<'a> {
    Ran,
    Skipped,
    /// The error that the listener returned.
    Failed(&'a (dyn std::error::Error + Send + Sync + 'static)),
    Panicked,
    /// Its future was dropped before it had ended.
    Dropped,
}

impl CallEnd<'_> {
    fn of(step: &Step) -> CallEnd<'_> {
        match step {
            Step::Skipped | Step::Absent => CallEnd::Skipped,
            Step::More(effects) => effects
                .error
                .as_deref()
                .map_or(CallEnd::Ran, CallEnd::Failed),
            Step::Done | Step::Stopped => CallEnd::Ran,
        }
    }
}

/// Tells of the end of a call, also when it is left by a panic.
struct Call<'a> {
    interceptor: &'a dyn Interceptor,
    begun: usize,
    over: bool,
}

impl<'a> Call<'a> {
    fn begin(interceptor: &'a dyn Interceptor, attempt: &Attempt) -> Self {
        Self {
            interceptor,
            begun: interceptor.begun(attempt),
            over: false,
        }
    }

    fn end(mut self, step: &Step) {
        self.over = true;
        self.interceptor.ended(self.begun, CallEnd::of(step));
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.over {
            let end = if std::thread::panicking() {
                CallEnd::Panicked
            } else {
                CallEnd::Dropped
            };
            self.interceptor.ended(self.begun, end);
        }
    }
}

/// Calls that wait for their delay: they begin after it, and are told of all the same if they are dropped before.
struct Waiting<'a> {
    interceptor: &'a dyn Interceptor,
    given: &'a [Given],
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        for (attempt, _) in self.given {
            drop(Call::begin(self.interceptor, attempt));
        }
    }
}

/// Calls an inline listener.
#[cold]
pub(crate) fn call(
    interceptor: &dyn Interceptor,
    attempt: &Attempt,
    payload: &dyn Any,
    run: &dyn Fn() -> Step,
) -> Step {
    let call = Call::begin(interceptor, attempt);
    // For an answerer in whose place something else is done.
    let left = attempt.port.clone().map(Leaving);
    let step = attempt.tell(decide(interceptor, attempt, payload, run));
    if matches!(step, Step::Skipped) {
        std::mem::forget(left);
    }
    call.end(&step);
    step
}

/// An answerer whose call is over does not answer any more.
struct Leaving(Arc<dyn AnyPort>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.take();
        self.0.leave();
    }
}

fn decide(
    interceptor: &dyn Interceptor,
    attempt: &Attempt,
    payload: &dyn Any,
    run: &dyn Fn() -> Step,
) -> Step {
    if !interceptor.changes(&attempt.listener) {
        return run();
    }
    let conditional = attempt.listener.condition().is_some();
    if conditional {
        // The condition is part of the call, and what it does not want is not changed either.
        let (step, wanted) = stack::only_condition(run);
        if !wanted {
            return step;
        }
    }
    let fault = interceptor.fault(&attempt.listener);
    let changed = fault.or_else(|| interceptor.instead(attempt, payload));
    match changed {
        Some(step) => step,
        // Its answer may be another one the second time.
        None if conditional => stack::without_condition(run),
        None => run(),
    }
}

/// A call with the payload of its event.
pub(crate) type Given = (Attempt, Arc<dyn Any + Send + Sync>);

/// Takes the place of an async or queued listener's future. Several events are those of one call.
pub(crate) fn future(bus: &Arc<Inner>, given: Vec<Given>, future: BoxFuture) -> BoxFuture {
    let Some(interceptor) = bus.interceptor().cloned() else {
        return future;
    };
    let bus = Arc::downgrade(bus);
    // Begun, also where what is replaced knows nothing of the request.
    let port = given.first().and_then(|(attempt, _)| attempt.port.clone());
    let left = port.map(Leaving);
    if let Some(left) = &left {
        left.0.take();
    }
    Box::pin(async move {
        let _left = left;
        let listener = given.first().map(|(attempt, _)| attempt.listener.clone());
        let delay = listener.and_then(|listener| interceptor.delay(&listener));
        if let Some(time) = delay {
            let sleep = bus
                .upgrade()
                .map(|bus| bus.sleep_until(after(bus.now(), time)));
            if let Some(sleep) = sleep {
                let waiting = Waiting {
                    interceptor: &*interceptor,
                    given: &given,
                };
                sleep.await;
                std::mem::forget(waiting);
            }
        }
        let begin = |(attempt, _): &Given| Call::begin(&*interceptor, attempt);
        let calls: Vec<_> = given.iter().map(begin).collect();
        let end = |step: Step| {
            for call in calls {
                call.end(&step);
            }
            step
        };
        if let Some(step) = changed(&*interceptor, &given) {
            return end(match given.first() {
                Some((attempt, _)) => attempt.tell(step),
                None => step,
            });
        }
        end(future.await)
    })
}

/// Calls a plain function behind a queue, which has waited already.
pub(crate) fn call_each(
    interceptor: &dyn Interceptor,
    given: &[Given],
    run: impl FnOnce() -> Step,
) -> Step {
    let begin = |(attempt, _): &Given| Call::begin(interceptor, attempt);
    let calls: Vec<_> = given.iter().map(begin).collect();
    let step = changed(interceptor, given).unwrap_or_else(run);
    for call in calls {
        call.end(&step);
    }
    step
}

/// What is done instead of a call, with each of its events.
fn changed(interceptor: &dyn Interceptor, given: &[Given]) -> Option<Step> {
    let (first, _) = given.first()?;
    if !interceptor.changes(&first.listener) {
        return None;
    }
    if let Some(step) = interceptor.fault(&first.listener) {
        return Some(step);
    }
    let mut all = Effects::default();
    for (attempt, payload) in given {
        interceptor.instead(attempt, &**payload)?.gather(&mut all);
    }
    Some(all.into_step())
}

macro_rules! opaque {
    ($($name:ident)*) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.topic())
            }
        })*
    };
}

opaque!(Emitted Attempt);

impl std::fmt::Debug for dyn Interceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Interceptor")
    }
}
