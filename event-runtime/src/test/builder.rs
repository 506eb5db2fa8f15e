//! Building a test's bus.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use event_core::private::instrument::{self, Instrument, Replaced, functions, subscribe};
use event_core::private::{Answer, Answers, Asked, Escapes, Returns, Tick};
use event_core::{
    AnyEvent, Bus, BusBuilder, Event, EventInfo, Failure, ListenerSet, Policy, Request, Runtime,
};

use super::bus::TestBus;
use super::permute::Watch;
use super::record::{Clock, Recorder};
use super::replace::{Replacement, stand_in};
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

    /// Runs a closure instead of a listener, which keeps its place in the order, its mode, its condition and its queue.
    ///
    /// The closure may return what the listener may. State that only this listener asks for need not be given, unless it has a condition, a key or
    /// several workers, a batch or a `retry_if`: those are in code that takes the state, and [`build`](Self::build) says so (`not-replaceable`).
    ///
    /// ```standalone_crate
    /// use tidings::test::TestBus;
    /// use tidings::{event, listener};
    ///
    /// #[event]
    /// struct Placed {
    ///     order: u64,
    /// }
    ///
    /// #[event]
    /// struct Paid;
    ///
    /// struct Bank;
    ///
    /// #[listener(queue = 64)]
    /// async fn charge(_: &Placed, _: &Bank) -> Paid {
    ///     unimplemented!("talks to the bank")
    /// }
    ///
    /// let bus = TestBus::builder()
    ///     .replace(charge, |e: &Placed| (e.order > 0).then_some(Paid))
    ///     .build();
    /// bus.emit(Placed { order: 7 });
    /// let run = bus.settle_blocking();
    /// run.heard_by(charge).once().ok();
    /// run.emitted::<Paid>().once();
    /// ```
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "functions and tuples of them are written as they are"
    )]
    pub fn replace<M, E: Event, R: Returns>(
        self,
        listener: impl ListenerSet<M>,
        with: impl Fn(&E) -> R + Send + Sync + 'static,
    ) -> Self {
        let replacement = Replacement::of(with);
        let place = Location::caller();
        self.add(
            &listener,
            Some(E::__info),
            R::STOPS,
            false,
            place,
            replacement,
        )
    }

    /// As [`replace`](Self::replace), for the listener that answers a request: the closure returns the answer, or a `Result` of it.
    ///
    /// ```standalone_crate
    /// use tidings::test::TestBus;
    /// use tidings::{event, listener};
    ///
    /// #[event(reply = u64)]
    /// struct GetPrice {
    ///     pieces: u64,
    /// }
    ///
    /// struct Catalogue;
    ///
    /// #[listener(reply)]
    /// async fn price(_: &GetPrice, _: &Catalogue) -> u64 {
    ///     unimplemented!("asks the catalogue")
    /// }
    ///
    /// let bus = TestBus::builder()
    ///     .replace_reply(price, |e: &GetPrice| e.pieces * 10)
    ///     .build();
    /// assert_eq!(bus.block_on(bus.request(GetPrice { pieces: 4 })).unwrap(), 40);
    /// bus.settle_blocking().heard_by(price).once().ok();
    /// ```
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "functions and tuples of them are written as they are"
    )]
    pub fn replace_reply<M, E: Request, A: Answers<E::Reply>>(
        self,
        listener: impl ListenerSet<M>,
        with: impl Fn(&E) -> A + Send + Sync + 'static,
    ) -> Self {
        let replacement = Replacement::reply(with);
        self.add(
            &listener,
            Some(E::__info),
            false,
            true,
            Location::caller(),
            replacement,
        )
    }

    /// As [`replace`](Self::replace), for a listener of `&AnyEvent`.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "functions and tuples of them are written as they are"
    )]
    pub fn replace_any<M, R: Returns>(
        self,
        listener: impl ListenerSet<M>,
        with: impl Fn(&AnyEvent<'_>) -> R + Send + Sync + 'static,
    ) -> Self {
        let replacement = Replacement::of_any(with);
        self.add(
            &listener,
            None,
            R::STOPS,
            false,
            Location::caller(),
            replacement,
        )
    }

    /// As [`replace`](Self::replace), for a listener with `every`.
    ///
    /// ```standalone_crate
    /// use std::time::Duration;
    /// use tidings::test::TestBus;
    /// use tidings::{event, listener};
    ///
    /// #[event]
    /// struct Rates;
    ///
    /// #[listener(every = "1h")]
    /// async fn ask_the_bank() -> Rates {
    ///     unimplemented!("talks to the bank")
    /// }
    ///
    /// let bus = TestBus::builder().replace_tick(ask_the_bank, || Rates).build();
    /// bus.advance(Duration::from_secs(24 * 3600));
    /// bus.settle_blocking().emitted::<Rates>().times(24);
    /// ```
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "functions and tuples of them are written as they are"
    )]
    pub fn replace_tick<M, R: Returns>(
        self,
        listener: impl ListenerSet<M>,
        with: impl Fn() -> R + Send + Sync + 'static,
    ) -> Self {
        let replacement = Replacement::of(move |_: &Tick| with());
        let place = Location::caller();
        self.add(
            &listener,
            Some(Tick::__info),
            R::STOPS,
            false,
            place,
            replacement,
        )
    }

    fn add<M>(
        mut self,
        listeners: &impl ListenerSet<M>,
        event: Option<fn() -> &'static EventInfo>,
        stops: bool,
        reply: bool,
        place: &'static Location<'static>,
        replacement: Replacement,
    ) -> Self {
        let run = Arc::new(replacement.run);
        for key in functions(listeners) {
            let run = Arc::clone(&run);
            let replacement = Replacement {
                run: Box::new(move |attempt, payload| run(attempt, payload)),
            };
            self.replaced.insert(key.id(), replacement);
            self.replacements.push(Replaced {
                key,
                place,
                event,
                stops,
                reply,
                install: stand_in,
            });
        }
        self
    }

    /// A closure hears the event instead of all its linked listeners. It may return what a listener of the event may.
    ///
    /// ```standalone_crate
    /// use tidings::test::TestBus;
    /// use tidings::{event, listener};
    ///
    /// #[event]
    /// struct Charge;
    ///
    /// #[event]
    /// struct Declined;
    ///
    /// #[listener]
    /// fn bank(_: &Charge) {
    ///     unimplemented!("talks to the bank")
    /// }
    ///
    /// let bus = TestBus::builder().stub(|_: &Charge| Declined).build();
    /// bus.emit(Charge);
    /// bus.settle_blocking().emitted::<Declined>().once();
    /// ```
    ///
    /// # Panics
    ///
    /// If it returns `ControlFlow` and the event is not `stoppable`.
    #[track_caller]
    pub fn stub<E: Event, R: Returns>(
        mut self,
        with: impl Fn(&E) -> R + Send + Sync + 'static,
    ) -> Self {
        assert!(
            !R::STOPS || E::__info().is_stoppable(),
            "the stub of `{}` returns `ControlFlow`, and the event is not `stoppable`: return `()`",
            E::TOPIC
        );
        let place = Location::caller();
        let subscribe = move |bus: &Bus| {
            subscribe(bus, place, move |event: &E| with(event).into_step()).forever();
        };
        self.stubs.push((TypeId::of::<E>(), Box::new(subscribe)));
        self
    }

    /// A closure answers the request instead of all its linked listeners.
    ///
    /// ```standalone_crate
    /// use tidings::event;
    /// use tidings::test::TestBus;
    ///
    /// #[event(reply = u64)]
    /// struct GetPrice {
    ///     pieces: u64,
    /// }
    ///
    /// let bus = TestBus::builder().stub_reply(|e: &GetPrice| e.pieces * 10).build();
    /// assert_eq!(bus.request(GetPrice { pieces: 4 }).now().unwrap(), 40);
    /// ```
    #[track_caller]
    pub fn stub_reply<E: Request, A: Answers<E::Reply>>(
        mut self,
        with: impl Fn(&E) -> A + Send + Sync + 'static,
    ) -> Self {
        let place = Location::caller();
        let subscribe = move |bus: &Bus| {
            subscribe(bus, place, move |event: &E| {
                // Before the closure is called, so that a panic in it is not for ever.
                let reply = Asked::<E>::new().take();
                Answer::<E, _>::new(with(event)).step(reply)
            })
            .forever();
        };
        self.stubs.push((TypeId::of::<E>(), Box::new(subscribe)));
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
