//! The bus of one test.

use std::any::TypeId;
use std::fmt;
use std::future::{Future, poll_fn};
use std::ops::Deref;
use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use event_core::private::{Escapes, FnKey, instrument};
use event_core::{Bus, Event, ListenerSet};

use super::builder::TestBusBuilder;
use super::fault::{Failing, Fault, Kind};
use super::permute::Watch;
use super::record::Recorder;
use super::run::Run;
use super::settle::Settle;
use super::timeline::more;
use crate::VirtualRuntime;

/// How many emissions past the bus are printed.
const MOST_ESCAPES: usize = 20;

/// A [`Bus`] for one test, which records what happens on it. It is one by `Deref`: the code under test gets `&bus`.
///
/// Async listeners and queues run on the test's thread, in virtual time: in [`settle`](Self::settle), [`advance`](Self::advance) and
/// [`block_on`](Self::block_on), and while an emission is awaited. Virtual time waits for nobody outside: a listener with a `timeout` that waits for real
/// input, a socket or a thread, is timed out at once. Give such a test a real [`runtime`](TestBusBuilder::runtime), or fake what it waits for. Payloads of events that are `Send + Sync` are kept for the record, so
/// their `Drop` runs later than without a test.
///
/// While it lives, an emission of the free function [`emit`](event_core::emit()) on this thread must not reach the process's default bus, where it
/// would meet the real listeners of the whole program: it is refused, and the test fails with its place. Threads that the test starts, and other tests, are not watched. Code that uses the free function runs in
/// [`scope`](Self::scope).
pub struct TestBus {
    bus: Bus,
    pub(super) recorder: Arc<Recorder>,
    time: Option<VirtualRuntime>,
    escapes: Arc<Escapes>,
    watch: Watch,
    pub(super) deadline: Duration,
}

impl Default for TestBus {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl TestBus {
    /// A bus with all linked listeners and no state, in virtual time.
    ///
    /// # Panics
    ///
    /// As [`TestBusBuilder::build`].
    #[track_caller]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts a bus with all linked listeners.
    pub fn builder() -> TestBusBuilder {
        Bus::builder().into()
    }

    pub(super) fn from_parts(
        bus: Bus,
        recorder: Arc<Recorder>,
        time: Option<VirtualRuntime>,
        escapes: Arc<Escapes>,
        watch: Watch,
        deadline: Duration,
    ) -> Self {
        Self {
            bus,
            recorder,
            time,
            escapes,
            watch,
            deadline,
        }
    }

    /// Waits until every delivery that was set off has ended, with all that came of it, and gives the record since the last time.
    ///
    /// Deliveries are counted, so there is nothing to guess and no sleep. In virtual time, retries and delays come at once. `.await` works under
    /// every executor on the test's thread; [`settle_blocking`](Self::settle_blocking) is for a plain test function. A record is given once: of two
    /// settlings that wait at the same time one has it, and the other is empty.
    ///
    /// # Panics
    ///
    /// On another thread than the one that built the bus, unless the bus was given another runtime. When the real time of [`deadline`](TestBusBuilder::deadline) is over, naming what is open; and if something was emitted past the bus.
    #[track_caller]
    pub fn settle(&self) -> Settle<'_> {
        Settle::new(self)
    }

    /// As [`settle`](Self::settle), for a test function that is not `async`.
    ///
    /// # Panics
    ///
    /// As [`settle`](Self::settle).
    #[track_caller]
    pub fn settle_blocking(&self) -> Run {
        let settle = self.settle();
        self.block_on(settle)
    }

    /// The record since the last settling, however far it got.
    pub fn run(&self) -> Run {
        Run::new(self.recorder.run(), &self.bus, self.recorder.reordered)
    }

    /// The record, which later ones do not have.
    pub(super) fn take_run(&self) -> Run {
        Run::new(self.recorder.take_run(), &self.bus, self.recorder.reordered)
    }

    /// Runs what is ready, and then lets `time` pass on the virtual clock, with all that becomes due meanwhile.
    ///
    /// ```standalone_crate
    /// use std::time::Duration;
    /// use tidings::test::TestBus;
    /// use tidings::{event, listener};
    ///
    /// #[event]
    /// struct Placed;
    ///
    /// #[listener]
    /// async fn confirm(_: &Placed) {}
    ///
    /// let bus = TestBus::new();
    /// bus.delay(confirm, Duration::from_secs(3600));
    /// bus.emit(Placed);
    ///
    /// bus.advance(Duration::from_secs(3599));
    /// bus.run().heard_by(confirm).never();
    /// bus.advance(Duration::from_secs(1));
    /// bus.run().heard_by(confirm).once().ok();
    /// ```
    ///
    /// # Panics
    ///
    /// On a bus that was given another runtime, which has its own clock. As [`settle`](Self::settle) when deliveries that lead to others without an
    /// end keep the clock from going on: when the real time of [`deadline`](TestBusBuilder::deadline) is over, or after 250,000 rounds.
    #[track_caller]
    pub fn advance(&self, time: Duration) {
        let deadline = Instant::now().checked_add(self.deadline);
        let runtime = self.virtual_time("advance");
        if !runtime.advance_until(time, deadline) {
            let place = Location::caller();
            self.complain(&format!("`advance` at {place} did not come to the end of"));
        }
        self.check_escapes();
    }

    /// Whether this thread can run what is open, or somebody else does.
    pub(super) fn runs_here(&self) -> bool {
        self.time.as_ref().is_none_or(VirtualRuntime::is_home)
    }

    /// Fails the test for deliveries that are open.
    pub(super) fn complain(&self, what: &str) -> ! {
        let left = instrument::left(&self.bus);
        let open = left
            .iter()
            .map(|left| format!("\n  {left}, declared at {}", left.listener().location()));
        panic!(
            "{what} deliveries that did not end:{}\n\n{}",
            open.collect::<String>(),
            self.run(),
        );
    }

    /// The time since the bus was built, on its clock.
    pub fn elapsed(&self) -> Duration {
        self.recorder.elapsed()
    }

    #[track_caller]
    fn virtual_time(&self, what: &str) -> &VirtualRuntime {
        let given =
            || panic!("`{what}` is for virtual time, and the bus was given another runtime");
        self.time.as_ref().unwrap_or_else(given)
    }

    /// Drives a future together with what runs on the bus. The free `emit` in it is this bus's, as in [`scope`](Self::scope).
    ///
    /// # Panics
    ///
    /// With the future, if something was emitted past the bus, and on a thread of the runtime that the bus was given.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let scoped = self.scoped(future);
        let output = if let Some(time) = &self.time {
            time.block_on(scoped)
        } else {
            self.park(scoped)
        };
        self.check_escapes();
        output
    }

    #[track_caller]
    fn park<F: Future>(&self, future: F) -> F::Output {
        assert!(
            !instrument::runs_here(&self.bus),
            "this thread runs the tasks of the bus's runtime, and parked it would wait for itself: `.await` instead"
        );
        let mut output = None;
        {
            let ended = std::pin::pin!(async { output = Some(future.await) });
            event_core::private::park(ended, None);
        }
        output.expect("without a deadline it is driven to its end")
    }

    /// Runs code that uses the free function [`emit`](event_core::emit()): it emits on this bus meanwhile, on this thread.
    ///
    /// ```standalone_crate
    /// use tidings::test::TestBus;
    /// use tidings::{emit, event, listener};
    ///
    /// #[event]
    /// struct Placed;
    ///
    /// #[listener]
    /// fn confirm(_: &Placed) {}
    ///
    /// fn place() {
    ///     emit(Placed);
    /// }
    ///
    /// let bus = TestBus::new();
    /// bus.scope(place);
    /// bus.run().heard_by(confirm).once();
    /// ```
    pub fn scope<R>(&self, f: impl FnOnce() -> R) -> R {
        instrument::scope(&self.bus, f)
    }

    /// As [`scope`](Self::scope), for a future: at each of its polls.
    pub fn scoped<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let bus = self.bus.clone();
        let mut future = Box::pin(future);
        poll_fn(move |cx: &mut Context<'_>| -> Poll<F::Output> {
            instrument::scope(&bus, || future.as_mut().poll(cx))
        })
    }

    /// Has a listener return an error instead of being run, at every call until [`times`](Fault::times) says otherwise.
    ///
    /// Its condition is judged all the same, and what it does not want does not fail. Several listeners are given as a tuple.
    ///
    /// # Panics
    ///
    /// If one of them is no listener of this bus.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "functions and tuples of them are written as they are"
    )]
    pub fn fail<M>(&self, listener: impl ListenerSet<M>) -> Fault<'_, Failing> {
        let error = || "an error that the test asked for".into();
        let kind = Kind::Fail(Arc::new(error));
        Fault::new(&self.recorder.faults, &self.members(&listener), &kind)
    }

    /// Has a listener panic instead of being run.
    ///
    /// # Panics
    ///
    /// If one of them is no listener of this bus.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "functions and tuples of them are written as they are"
    )]
    pub fn panic<M>(&self, listener: impl ListenerSet<M>) -> Fault<'_> {
        Fault::new(
            &self.recorder.faults,
            &self.members(&listener),
            &Kind::Panic,
        )
    }

    /// Has a listener wait before it is run: an async or queued one on the bus's clock, with its `timeout` running; for a plain function the
    /// clock goes on, as if it had been slow; see [`runtime`](TestBusBuilder::runtime) for another clock than the virtual one.
    ///
    /// # Panics
    ///
    /// If one of them is no listener of this bus.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "functions and tuples of them are written as they are"
    )]
    pub fn delay<M>(&self, listener: impl ListenerSet<M>, time: Duration) -> Fault<'_> {
        let kind = Kind::Delay(time);
        Fault::new(&self.recorder.faults, &self.members(&listener), &kind)
    }

    /// Delivers every event of this type once more from now on, as a transport does that promises to deliver at least once.
    pub fn duplicate<E: Event>(&self) {
        self.recorder.faults.duplicate(TypeId::of::<E>());
    }

    #[track_caller]
    fn members<M>(&self, listeners: &impl ListenerSet<M>) -> Vec<FnKey> {
        let keys = instrument::functions(listeners);
        for key in &keys {
            member(&self.bus, *key);
        }
        keys
    }

    /// Fails the test if something was emitted past the bus.
    #[track_caller]
    pub(super) fn check_escapes(&self) {
        let escaped = self.escapes.take();
        if escaped.is_empty() {
            return;
        }
        let lines = escaped
            .iter()
            .take(MOST_ESCAPES)
            .map(|(topic, place)| format!("\n  `{topic}` at {place}"));
        let lines = lines.collect::<String>();
        let left = match escaped.len().saturating_sub(MOST_ESCAPES) {
            0 => String::new(),
            left => format!("\n  … {}", more(left)),
        };
        panic!(
            "emitted past the test's bus, to the default bus of the process:{lines}{left}\nemit with `bus.emit(..)`, or run the code in `bus.scope(..)`"
        );
    }
}

/// The id and the place of a listener that may be called on the bus.
#[track_caller]
pub(super) fn member(bus: &Bus, key: FnKey) -> &'static str {
    let name = key.name();
    let Some((id, place)) = instrument::listener_of(key) else {
        panic!("`{name}` is not a listener: put `#[listener]` on that function");
    };
    assert!(
        instrument::has(bus, key),
        "`{id}` ({place}) is not on this bus, which left it out or stubs its event: there is nothing to say about it"
    );
    id
}

impl Deref for TestBus {
    type Target = Bus;

    fn deref(&self) -> &Bus {
        &self.bus
    }
}

impl Drop for TestBus {
    fn drop(&mut self) {
        self.watch.ended(|| self.recorder.all());
        if !std::thread::panicking() {
            self.check_escapes();
        }
    }
}

impl fmt::Debug for TestBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestBus")
            .field("bus", &self.bus)
            .field("elapsed", &self.elapsed())
            .finish_non_exhaustive()
    }
}
