//! Building a test's bus.

mod substitutes;

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use event_core::private::Escapes;
use event_core::private::instrument::{self, Instrument, Replaced};
use event_core::{Bus, BusBuilder, Failure, ListenerSet, Policy, Runtime};

use super::bus::TestBus;
use super::permute::Watch;
use super::record::{Clock, Recorder};
use super::replace::Replacement;
use crate::VirtualRuntime;

/// Makes a [`TestBus`]. Starts with all linked listeners, no state, and virtual time.
///
/// ```standalone_crate
/// use std::sync::Arc;
/// use tidings::test::TestBus;
/// use tidings::{event, listener};
///
/// #[event]
/// struct Placed {
///     cents: u64,
/// }
///
/// trait Bank: Send + Sync {
///     fn book(&self, cents: u64) -> Result<(), String>;
/// }
///
/// #[listener]
/// fn charge(e: &Placed, bank: &dyn Bank) -> Result<(), String> {
///     bank.book(e.cents)
/// }
///
/// struct FakeBank;
///
/// impl Bank for FakeBank {
///     fn book(&self, cents: u64) -> Result<(), String> {
///         if cents < 1000 { Ok(()) } else { Err("not enough".into()) }
///     }
/// }
///
/// let bus = TestBus::builder().state(Arc::new(FakeBank) as Arc<dyn Bank>).build();
/// bus.emit(Placed { cents: 2000 });
/// bus.settle_blocking().heard_by(charge).once().failed();
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct TestBusBuilder {
    bus: BusBuilder,
    replaced: HashMap<TypeId, Replacement>,
    replacements: Vec<Replaced>,
    stubs: Vec<(TypeId, Stub)>,
    real: bool,
    real_threads: bool,
    seed: Option<u64>,
    reorder: Option<u64>,
    pub(super) watch: Watch,
    deadline: Duration,
}

type Stub = Box<dyn FnOnce(&Bus)>;

macro_rules! delegate {
    ($(#[doc = $doc:literal] $(#[$attribute:meta])* fn $name:ident $(<$($generic:tt),*>)? ($($arg:ident: $type:ty),*);)*) => {
        $(
            #[doc = $doc]
            $(#[$attribute])*
            pub fn $name $(<$($generic),*>)? (mut self, $($arg: $type),*) -> Self {
                self.bus = self.bus.$name($($arg),*);
                self
            }
        )*
    };
}

impl From<BusBuilder> for TestBusBuilder {
    /// Goes on from the application's own builder. A runtime that it was given is replaced by the kit's; say `runtime` again to keep it.
    fn from(bus: BusBuilder) -> Self {
        Self {
            bus,
            replaced: HashMap::new(),
            replacements: Vec::new(),
            stubs: Vec::new(),
            real: false,
            real_threads: false,
            seed: None,
            reorder: None,
            watch: Watch::default(),
            deadline: Duration::from_secs(10),
        }
    }
}

impl TestBusBuilder {
    delegate! {
        /// Keeps only these listeners, as [`BusBuilder::only`] does.
        fn only<M>(listeners: impl ListenerSet<M>);
        /// Keeps only the listeners with these ids, as [`BusBuilder::only_ids`] does.
        fn only_ids<'a>(ids: impl IntoIterator<Item = &'a str>);
        /// Leaves these listeners out, as [`BusBuilder::without`] does.
        fn without<M>(listeners: impl ListenerSet<M>);
        /// Leaves the listeners with these ids out, as [`BusBuilder::without_ids`] does.
        fn without_ids<'a>(ids: impl IntoIterator<Item = &'a str>);
        /// Keeps only the listeners of these crates, as [`BusBuilder::crates`] does.
        fn crates<'a>(names: impl IntoIterator<Item = &'a str>);
        /// Limits the threads of queues, as [`BusBuilder::threads`] does; for [`real_threads`](Self::real_threads).
        fn threads(limit: usize);
        /// Is told every failure, as by [`BusBuilder::on_failure`].
        fn on_failure(hook: impl Fn(&Failure) + Send + Sync + 'static);
    }

    /// Gives state, as [`BusBuilder::state`] does: a fake is given like the real one, an `Arc<dyn Trait>` for a parameter `&dyn Trait`.
    #[track_caller]
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.bus = self.bus.state(value);
        self
    }

    /// Gives state in the place of what answers for the same parameter: for a builder that the application makes, with its real state.
    ///
    /// ```standalone_crate
    /// use tidings::test::{TestBus, TestBusBuilder};
    /// use tidings::{Bus, BusBuilder, event, listener};
    ///
    /// #[event]
    /// struct Placed;
    ///
    /// struct Bank {
    ///     url: &'static str,
    /// }
    ///
    /// #[listener]
    /// fn charge(_: &Placed, bank: &Bank) {
    ///     assert_eq!(bank.url, "test");
    /// }
    ///
    /// /// Used by `main`.
    /// fn builder() -> BusBuilder {
    ///     Bus::builder().state(Bank { url: "https://bank.example" })
    /// }
    ///
    /// let bus = TestBusBuilder::from(builder()).fake(Bank { url: "test" }).build();
    /// bus.emit(Placed);
    /// bus.settle_blocking().heard_by(charge).once().ok();
    /// ```
    #[track_caller]
    pub fn fake<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.bus = self.bus.__fake(value);
        self
    }

    /// Changes how deliveries are carried, as [`BusBuilder::tune`] does.
    pub fn tune<M>(
        mut self,
        listeners: impl ListenerSet<M>,
        change: impl Fn(Policy) -> Policy + Send + Sync + 'static,
    ) -> Self {
        self.bus = self.bus.tune(listeners, change);
        self
    }

    /// Runs async listeners on another runtime than the kit's, on its clock: a `tokio::runtime::Handle`, whose clock may be paused.
    ///
    /// Queues of plain functions run on threads then. [`elapsed`](TestBus::elapsed) and the timeline tell its time; `advance` is for virtual time. The
    /// [`delay`](TestBus::delay) of a plain function blocks its thread until that clock has gone on, and takes no time while it is paused.
    pub fn runtime(mut self, runtime: impl Runtime) -> Self {
        self.bus = self.bus.runtime(runtime);
        self.real = true;
        self
    }

    /// Runs the queues of plain functions on threads, as in the application, and not on the test's thread one item a turn.
    pub fn real_threads(mut self) -> Self {
        self.real_threads = true;
        self
    }

    /// Runs what is ready in an order that is drawn from the seed, so that a test can look for orders that are rare. One seed gives one order.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Has the listeners of each event run in another order, as far as their phases (`early`, `late`) and their `before` and `after` allow one. Nothing
    /// else fixes an order that a program may rely on. [`permute`](super::permute()) does this with many seeds and compares what comes of it.
    ///
    /// One seed gives one order: 0 the declared one, 1 its reverse, any other one that is drawn from it. The timeline tells it. Listeners by pattern take
    /// part, and the methods of an instance among each other; they come after the linked listeners, and subscriptions in the order of their calls.
    ///
    /// ```standalone_crate
    /// use tidings::test::TestBus;
    /// use tidings::{event, listener};
    ///
    /// #[event]
    /// struct Placed;
    ///
    /// #[listener]
    /// fn charge(_: &Placed) {}
    ///
    /// #[listener]
    /// fn confirm(_: &Placed) {}
    ///
    /// #[listener(after = confirm)]
    /// fn thank(_: &Placed) {}
    ///
    /// let bus = TestBus::builder().reorder(1).build();
    /// bus.emit(Placed);
    /// bus.settle_blocking().order((confirm, thank, charge));
    /// ```
    pub fn reorder(mut self, seed: u64) -> Self {
        self.reorder = Some(seed);
        self
    }

    /// For how long of real time [`settle`](TestBus::settle) and [`advance`](TestBus::advance) go on before they fail; 10 s by default.
    pub fn deadline(mut self, time: Duration) -> Self {
        self.deadline = time;
        self
    }

    /// Makes the bus.
    ///
    /// # Panics
    ///
    /// If the bus cannot be built, with all problems; they are those of [`BusBuilder::build`], and a replacement that does not fit its listener.
    #[track_caller]
    pub fn build(self) -> TestBus {
        let (mut builder, mut virtual_time) = (self.bus, None);
        let given = instrument::runtime(&builder).filter(|_| self.real);
        let clock = if let Some(runtime) = given {
            let start = runtime.now();
            Clock::Other(runtime, start)
        } else {
            let time = match self.seed {
                Some(seed) => VirtualRuntime::seeded(seed),
                None => VirtualRuntime::new(),
            };
            let given = time.clone();
            builder = builder.runtime(if self.real_threads {
                given.real_threads()
            } else {
                given
            });
            virtual_time = Some(time.clone());
            // The bus keeps the recorder.
            Clock::Virtual(time.of_bus())
        };
        let recorder = Arc::new(Recorder::new(clock, self.replaced, self.reorder));
        let built = builder
            .__instrument(Instrument {
                interceptor: Arc::clone(&recorder) as _,
                replaced: self.replacements,
                stubbed: self.stubs.iter().map(|(event, _)| *event).collect(),
                reorder: self.reorder,
            })
            .build();
        let bus = built.unwrap_or_else(|error| panic!("{error}"));
        for (_, subscribe) in self.stubs {
            subscribe(&bus);
        }
        self.watch.built();
        TestBus::from_parts(
            bus,
            recorder,
            virtual_time,
            Escapes::watch(),
            self.watch,
            self.deadline,
        )
    }
}

impl fmt::Debug for TestBusBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestBusBuilder")
            .field("bus", &self.bus)
            .field("replaced", &self.replaced.len())
            .field("stubs", &self.stubs.len())
            .finish_non_exhaustive()
    }
}
