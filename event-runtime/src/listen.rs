//! A queue as the place of one listener's deliveries.

mod behind;
mod line;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::hash::DefaultHasher;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

pub use behind::{Behind, BehindFallback, NoQueue};
use line::{Ending, Line};

use event_core::private::{
    Berth, BoxFuture, Delivered, Events, Handed, Hear, Installer, Lane, Offer, Origin, Pace,
    RetryIf, Step, Turn, sleep_steadily,
};
use event_core::{Context, FailureKind, Overflow, Policy, Runtime};

use crate::clock::{Clock, Sleep};
use crate::queue::quiet::forget_panic;
use crate::queue::{
    Attempt, Backoff, Channel, Config, Desk, Job, Loss, ParkClock, Retry, Start, StartError,
    TaskStarter, ThreadStarter, Threads, Verdict,
};

/// A thread without work ends after this time.
const IDLE: Duration = Duration::from_secs(10);

/// The queue of a listener that is being installed, with what its attribute says beside numbers.
#[must_use = "a queue takes nothing until it is installed"]
pub struct Queued<P: ?Sized + Hear> {
    key: Option<KeyFn<P>>,
    when: Option<WhenFn<P>>,
    retry_if: Option<RetryIfFn>,
    asynchronous: bool,
}

type KeyFn<P> =
    Box<dyn for<'a, 'b> Fn(&'b <P as Hear>::View<'a>, &mut DefaultHasher) + Send + Sync>;
type WhenFn<P> = Box<dyn for<'a, 'b> Fn(&'b <P as Hear>::View<'a>) -> bool + Send + Sync>;
type RetryIfFn = Box<dyn Fn(&(dyn Error + Send + Sync + 'static)) -> bool + Send + Sync>;

/// One delivery that waits or runs.
struct Item<P: Hear> {
    share: P::Share,
    origin: Origin,
}

/// How a listener is called with what its queue gives at once.
trait Call<P: Hear>: Send + Sync + 'static {
    /// `None` is a delivery that the listener does not want.
    fn start(&self, items: &[Item<P>], handed: Handed) -> Option<BoxFuture>;
}

/// With one event.
struct One<F>(F);

/// With several, in a `Vec`.
struct Many<F>(F);

impl<P, F, Fut> Call<P> for One<F>
where
    P: Hear<Share: Clone>,
    F: Fn(P::Share, Handed) -> Option<Fut> + Send + Sync + 'static,
    Fut: Future<Output = Step> + Send + 'static,
{
    fn start(&self, items: &[Item<P>], handed: Handed) -> Option<BoxFuture> {
        // Its queue gives one at a time.
        let share = items.first()?.share.clone();
        Some(Box::pin((self.0)(share, handed)?))
    }
}

impl<P, F, Fut> Call<P> for Many<F>
where
    P: Hear<Share: Clone>,
    F: Fn(Vec<P::Share>, Handed) -> Option<Fut> + Send + Sync + 'static,
    Fut: Future<Output = Step> + Send + 'static,
{
    fn start(&self, items: &[Item<P>], handed: Handed) -> Option<BoxFuture> {
        let shares = items.iter().map(|item| item.share.clone()).collect();
        Some(Box::pin((self.0)(shares, handed)?))
    }
}

/// How a plain function is called.
trait CallNow<P: Hear>: Send + Sync + 'static {
    fn call(&self, items: &[Item<P>], cx: &Context<'_>) -> Step;
}

impl<P, F> CallNow<P> for One<F>
where
    P: Hear,
    F: for<'a, 'b> Fn(&'b P::View<'a>, &Context<'_>) -> Step + Send + Sync + 'static,
{
    fn call(&self, items: &[Item<P>], cx: &Context<'_>) -> Step {
        match items.first() {
            Some(item) => (self.0)(&P::hold(&item.share), cx),
            None => Step::Skipped,
        }
    }
}

impl<P, F> CallNow<P> for Many<F>
where
    P: Hear,
    F: for<'a, 'b, 'c> Fn(&'c [&'b P::View<'a>], &Context<'_>) -> Step + Send + Sync + 'static,
{
    fn call(&self, items: &[Item<P>], cx: &Context<'_>) -> Step {
        let held: Vec<_> = items.iter().map(|item| P::hold(&item.share)).collect();
        let views: Vec<_> = held.iter().map(|held| &**held).collect();
        (self.0)(&views, cx)
    }
}

/// An async function, whose calls are futures.
struct Later<C>(C);

/// A plain function, which ends in its call.
struct Now<C>(C);

/// Runs the listener on items.
struct Deliver<C> {
    berth: Arc<Berth>,
    call: C,
    retry_if: Option<RetryIfFn>,
}

impl<P, C> Job<Item<P>> for Deliver<Later<C>>
where
    P: Hear<Share: Clone + Send + Sync>,
    C: Call<P>,
{
    fn run<'a>(&'a self, items: &'a [Item<P>], attempt: Attempt) -> crate::queue::Step<'a> {
        crate::queue::Step::Later(Box::pin(async move {
            let judge = |error: &Judged| self.judge(error);
            let events = || events(items);
            let turn = turn(items, attempt, &judge, &events);
            let start = |handed| self.call.0.start(items, handed);
            verdict(&self.berth.deliver(turn, start).await)
        }))
    }

    fn lose(&self, waiting: Vec<Item<P>>, in_backoff: Vec<Item<P>>, why: Loss) {
        self.lose_all(waiting, in_backoff, why);
    }
}

impl<P, C> Job<Item<P>> for Deliver<Now<C>>
where
    P: Hear<Share: Clone + Send + Sync>,
    C: CallNow<P>,
{
    fn run<'a>(&'a self, items: &'a [Item<P>], attempt: Attempt) -> crate::queue::Step<'a> {
        self.run_at(&mut None, items, attempt)
    }

    fn run_at<'a>(
        &'a self,
        desk: &mut Desk,
        items: &'a [Item<P>],
        attempt: Attempt,
    ) -> crate::queue::Step<'a> {
        match self.berth.delay() {
            None => crate::queue::Step::Done(self.call_at(desk, items, attempt)),
            Some(delay) => crate::queue::Step::Later(Box::pin(async move {
                delay.await;
                self.call_at(&mut None, items, attempt)
            })),
        }
    }

    fn lose(&self, waiting: Vec<Item<P>>, in_backoff: Vec<Item<P>>, why: Loss) {
        self.lose_all(waiting, in_backoff, why);
    }
}

impl<C> Deliver<Now<C>> {
    fn call_at<P>(&self, desk: &mut Desk, items: &[Item<P>], attempt: Attempt) -> Verdict
    where
        P: Hear<Share: Clone + Send + Sync>,
        C: CallNow<P>,
    {
        let kept = desk.get_or_insert_with(|| Box::new(Pace::default()));
        match kept.downcast_mut() {
            Some(pace) => self.call_now(pace, items, attempt),
            None => self.call_now(&mut Pace::default(), items, attempt),
        }
    }

    fn call_now<P>(&self, pace: &mut Pace, items: &[Item<P>], attempt: Attempt) -> Verdict
    where
        P: Hear<Share: Clone + Send + Sync>,
        C: CallNow<P>,
    {
        let judge = |error: &Judged| self.judge(error);
        let events = || events(items);
        let turn = turn(items, attempt, &judge, &events);
        let call = |cx: &Context<'_>| self.call.0.call(items, cx);
        verdict(&self.berth.deliver_now(&turn, pace, call))
    }
}

type Judged = dyn Error + Send + Sync + 'static;

impl<C> Deliver<C> {
    fn judge(&self, error: &Judged) -> bool {
        // A judge that panics wants no retry; the error is told as ever.
        let judge = |judge: &RetryIfFn| {
            let judged = catch_unwind(AssertUnwindSafe(|| judge(error)));
            judged.unwrap_or_else(|panic| {
                forget_panic(panic);
                false
            })
        };
        self.retry_if.as_ref().is_none_or(judge)
    }

    fn lose_all<P: Hear>(&self, waiting: Vec<Item<P>>, in_backoff: Vec<Item<P>>, why: Loss) {
        let _ending = Ending::of(&self.berth, waiting.len() + in_backoff.len());
        self.berth.lose(in_backoff.len());
        for item in waiting.iter().chain(&in_backoff) {
            let failure = self.berth.failure(FailureKind::Abandoned, why.to_string());
            self.berth.tell(Some(item.origin), failure);
        }
        drop((waiting, in_backoff));
    }
}

/// The events of one call have one origin: that of the first. They are never none.
fn turn<'a, P: Hear>(
    items: &[Item<P>],
    attempt: Attempt,
    judge: &'a RetryIf<'a>,
    events: &'a Events<'a>,
) -> Turn<'a> {
    Turn {
        origin: items[0].origin,
        deliveries: items.len(),
        again: attempt.number > 0,
        retry: (!attempt.last).then_some(judge),
        events,
    }
}

/// Each with its origin.
fn events<P: Hear<Share: Clone>>(items: &[Item<P>]) -> Vec<(Origin, Payload)> {
    let event = |item: &Item<P>| Some((item.origin, P::payload(item.share.clone())?));
    items.iter().filter_map(event).collect()
}

type Payload = Arc<dyn std::any::Any + Send + Sync>;

fn verdict(delivered: &Delivered) -> Verdict {
    match delivered {
        Delivered::Ran => Verdict::Done,
        Delivered::Skipped => Verdict::Skipped,
        Delivered::Retry => Verdict::Retry,
        Delivered::Failed => Verdict::Failed,
        Delivered::Abandoned => Verdict::Abandoned,
    }
}

/// The bus's own clock.
struct RuntimeClock(Arc<dyn Runtime>);

impl Clock for RuntimeClock {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        sleep_steadily(&self.0, at)
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
        }
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
        let policy = installer.policy();
        let (min, max) = policy.retry_backoff();
        let retry = Retry::new(policy.max_retries(), Backoff::new(min, max));
        let job = Arc::new(Deliver {
            berth: Arc::clone(&berth),
            call,
            retry_if: self.retry_if,
        });
        let runtime = installer.runtime();
        let start: Arc<dyn Start<Item<P>>> = match &runtime {
            None if self.asynchronous => return refuse_all::<P>(installer, berth, self.when),
            Some(runtime) if runtime.runs_queues() => {
                Arc::new(TaskStarter::new(Arc::clone(runtime), job, retry).one_by_one())
            }
            Some(runtime) if self.asynchronous => {
                Arc::new(TaskStarter::new(Arc::clone(runtime), job, retry))
            }
            _ => {
                let limit = installer.threads();
                let threads = installer.shared(|| Threads::new(limit, IDLE));
                let told = Arc::clone(&berth);
                let report = move |error: StartError| {
                    let failure = told.failure(FailureKind::NoWorker, error.to_string());
                    told.tell(None, failure);
                };
                let id = installer.id();
                Arc::new(ThreadStarter::new(
                    (*threads).clone(),
                    id,
                    job,
                    retry,
                    report,
                ))
            }
        };
        let clock: Arc<dyn Clock> = match runtime {
            Some(runtime) => Arc::new(RuntimeClock(runtime)),
            None => Arc::new(ParkClock),
        };
        let config = config(policy, self.key.is_some()).batch(batch);
        let own = Arc::new(Line {
            channel: Channel::with_ledger(config, clock, start, Arc::clone(&berth) as _),
            berth: Arc::clone(&berth),
            key: self.key,
            when: self.when,
        });
        let lane: Weak<dyn Lane> = Arc::downgrade(&own) as Weak<Line<P>>;
        installer.dock(berth, Some(lane));
        P::install_queue(
            installer,
            Box::new(move |share, origin| own.take(share, origin)),
        );
    }
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

impl<P: ?Sized + Hear> fmt::Debug for Queued<P> {
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
