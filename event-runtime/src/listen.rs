//! A queue as the place of one listener's deliveries.

mod alarm;
mod behind;
mod deliver;
mod gate;
mod line;
mod outlet;
mod ticks;
mod workers;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::hash::DefaultHasher;
use std::sync::Arc;

use alarm::End;
pub use behind::{Behind, BehindFallback, NoQueue};
use deliver::{Deliver, Later, Many, Now, One};
use gate::Rule;
pub use outlet::{Outlet, Parcel};

use event_core::private::{Berth, Handed, Hear, Installer, Offer, Origin, Step};
use event_core::{Context, FailureKind, Overflow, Policy};

use crate::clock::Clock;
use crate::queue::{Channel, Config, Job, Start};

/// The queue of a listener that is being installed, with what its attribute says beside numbers.
#[must_use = "a queue takes nothing until it is installed"]
pub struct Queued<P: Hear> {
    key: Option<KeyFn<P>>,
    when: Option<WhenFn<P>>,
    retry_if: Option<RetryIfFn>,
    asynchronous: bool,
    kind: Kind<P>,
}

type KeyFn<P> =
    Box<dyn for<'a, 'b> Fn(&'b <P as Hear>::View<'a>, &mut DefaultHasher) + Send + Sync>;
type WhenFn<P> = Box<dyn for<'a, 'b> Fn(&'b <P as Hear>::View<'a>) -> bool + Send + Sync>;
type RetryIfFn = Box<dyn Fn(&(dyn Error + Send + Sync + 'static)) -> bool + Send + Sync>;

/// One delivery that waits or runs.
struct Item<P: Hear> {
    share: P::Share,
    origin: Origin,
    /// Tells who waits for the end of this delivery.
    _end: Option<End>,
}

impl<P: Hear> Item<P> {
    fn telling(self, end: End) -> Self {
        Self {
            _end: Some(end),
            ..self
        }
    }
}

impl<P: Hear<Share: Clone + Send + Sync>> Queued<P> {
    /// The workers of an `asynchronous` listener are tasks, those of others threads unless the runtime takes them too.
    pub fn new(asynchronous: bool) -> Self {
        Self {
            key: None,
            when: None,
            retry_if: None,
            asynchronous,
            kind: Kind::Queue,
        }
    }

    /// The listener is called at the end of each period, with what `share` gives.
    pub fn ticking(mut self, share: fn() -> P::Share) -> Self {
        self.kind = Kind::Every(share);
        self
    }

    /// The listener is given the last event of each key, once it was quiet.
    pub fn debounced(mut self) -> Self {
        self.kind = Kind::Held(Rule::Debounce);
        self
    }

    /// The listener is given at most one event of each key in a period.
    pub fn throttled(mut self) -> Self {
        self.kind = Kind::Held(Rule::Throttle);
        self
    }

    /// Deliveries of one key run one after another.
    pub fn key<F>(mut self, key: F) -> Self
    where
        F: for<'a, 'b, 'c> Fn(&'b P::View<'a>, &'c mut DefaultHasher) + Send + Sync + 'static,
    {
        self.key = Some(Box::new(key));
        self
    }

    /// What the listener does not want is not queued.
    pub fn when<F>(mut self, when: F) -> Self
    where
        F: for<'a, 'b> Fn(&'b P::View<'a>) -> bool + Send + Sync + 'static,
    {
        self.when = Some(Box::new(when));
        self
    }

    /// Only errors of which this is true are worth a retry.
    pub fn retry_if<F>(mut self, retry_if: F) -> Self
    where
        F: Fn(&(dyn Error + Send + Sync + 'static)) -> bool + Send + Sync + 'static,
    {
        self.retry_if = Some(Box::new(retry_if));
        self
    }

    /// Installs the accepted listener behind the queue.
    pub fn install<F, Fut>(self, installer: &mut Installer<'_>, run: F)
    where
        F: Fn(P::Share, Handed) -> Option<Fut> + Send + Sync + 'static,
        Fut: Future<Output = Step> + Send + 'static,
    {
        self.install_call(installer, Later(One(run)), 1);
    }

    /// The same for a plain function.
    pub fn install_now<F>(self, installer: &mut Installer<'_>, run: F)
    where
        F: for<'a, 'b, 'c> Fn(&'b P::View<'a>, &Context<'c>) -> Step + Send + Sync + 'static,
    {
        self.install_call(installer, Now(One(run)), 1);
    }

    /// The same for a plain function that takes several events at once.
    pub fn install_batch_now<F>(self, installer: &mut Installer<'_>, run: F)
    where
        F: for<'a, 'b, 'c, 'd> Fn(&'c [&'b P::View<'a>], &Context<'d>) -> Step
            + Send
            + Sync
            + 'static,
    {
        let batch = installer.policy().max_batch();
        self.install_call(installer, Now(Many(run)), batch);
    }

    /// The same for a listener that takes several events at once.
    pub fn install_batch<F, Fut>(self, installer: &mut Installer<'_>, run: F)
    where
        F: Fn(Vec<P::Share>, Handed) -> Option<Fut> + Send + Sync + 'static,
        Fut: Future<Output = Step> + Send + 'static,
    {
        let batch = installer.policy().max_batch();
        self.install_call(installer, Later(Many(run)), batch);
    }

    fn install_call<C>(self, installer: &mut Installer<'_>, call: C, batch: usize)
    where
        C: Send + Sync + 'static,
        Deliver<C>: Job<Item<P>>,
    {
        let berth = installer.berth();
        let Self {
            key,
            when,
            retry_if,
            asynchronous,
            kind,
        } = self;
        let job = Arc::new(Deliver {
            berth: Arc::clone(&berth),
            call,
            retry_if,
        });
        let Some(start) = workers::start(installer, &berth, asynchronous, job) else {
            if let Kind::Every(_) = kind {
                return ticks::refuse::<P>(installer, berth);
            }
            return refuse_all::<P>(installer, berth, when);
        };
        let work = Work {
            start,
            clock: workers::clock(installer),
            berth,
        };
        match kind {
            Kind::Queue => {
                let config = config(installer.policy(), key.is_some()).batch(batch);
                line::install(installer, work, config, key, when);
            }
            Kind::Every(share) => ticks::install(installer, work, share),
            Kind::Held(rule) => gate::install(installer, work, rule, key, when),
        }
    }
}

/// What all kinds of listeners beyond their emission have.
struct Work<P: Hear> {
    start: Arc<dyn Start<Item<P>>>,
    clock: Arc<dyn Clock>,
    berth: Arc<Berth>,
}

impl<P: Hear<Share: Clone + Send + Sync>> Work<P> {
    /// The queue between what is taken in and the workers.
    fn channel(&self, config: Config) -> Channel<Item<P>> {
        let (clock, start) = (Arc::clone(&self.clock), Arc::clone(&self.start));
        Channel::with_ledger(config, clock, start, Arc::clone(&self.berth) as _)
    }
}

/// When what a listener is given goes to its workers.
enum Kind<P: Hear> {
    /// At once.
    Queue,
    /// At every end of a period, and is no event.
    Every(fn() -> P::Share),
    /// When its time has come.
    Held(Rule),
}

fn config(policy: Policy, keyed: bool) -> Config {
    // It has a queue, or it would not be here.
    let capacity = policy.queue_capacity().unwrap_or(1024);
    let config = Config::new(capacity)
        .workers(policy.max_workers())
        .overflow(match policy.on_overflow() {
            Overflow::Reject => crate::queue::Overflow::Reject,
            Overflow::DropOldest => crate::queue::Overflow::DropOldest,
            Overflow::DropNewest => crate::queue::Overflow::DropNewest,
            _ => crate::queue::Overflow::Block,
        });
    if keyed { config.keyed() } else { config }
}

impl<P: Hear> fmt::Debug for Queued<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queued")
            .field("asynchronous", &self.asynchronous)
            .finish_non_exhaustive()
    }
}

/// For an async listener on a bus that cannot run its workers.
fn refuse_all<P: Hear>(installer: &mut Installer<'_>, berth: Arc<Berth>, when: Option<WhenFn<P>>) {
    installer.dock(Arc::clone(&berth), None);
    let refuse = move |share, _| {
        if when.as_ref().is_some_and(|when| !when(&P::hold(&share))) {
            return Offer::Skipped;
        }
        match berth.take_in() {
            Ok(_) => Offer::Refused(
                FailureKind::NoRuntime,
                "the workers of an async queue are tasks, and the bus has no runtime: build it with `.runtime(..)`".to_owned(),
            ),
            Err(refused) => refused,
        }
    };
    P::install_queue(installer, Box::new(refuse));
}
