//! Closures in the place of listeners.

use std::any::TypeId;
use std::panic::Location;
use std::sync::Arc;

use event_core::private::instrument::{Replaced, functions, subscribe};
use event_core::private::{Answer, Answers, Asked, Returns, Tick};
use event_core::{AnyEvent, Bus, Event, EventInfo, ListenerSet, Request};

use super::super::replace::{Replacement, stand_in};
use super::TestBusBuilder;

impl TestBusBuilder {
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
    ///     panic!("no test charges anybody")
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
    ///     panic!("no test asks the catalogue")
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
    ///     panic!("no test charges anybody")
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
    ///     panic!("no test charges anybody")
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
}
