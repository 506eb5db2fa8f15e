//! A queue as the place of one listener's deliveries.

mod behind;
mod line;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::hash::DefaultHasher;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

pub use behind::{Behind, BehindFallback, NoQueue};
use line::Line;

use event_core::private::{
    Berth, BoxFuture, Delivered, Handed, Hear, Installer, Lane, Leased, Offer, Origin, Step,
};
use event_core::{FailureKind, Overflow, Policy, Runtime};

use crate::clock::{Clock, Sleep};
use crate::queue::{
    Attempt, Backoff, Channel, Config, Job, ParkClock, Retry, Start, StartError, TaskStarter,
    ThreadStarter, Threads, Verdict,
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
    _open: Leased,
}

/// Runs the listener on an item.
struct Deliver<F> {
    berth: Arc<Berth>,
    run: F,
    retry_if: Option<RetryIfFn>,
}

impl<P, F, Fut> Job<Item<P>> for Deliver<F>
where
    P: Hear<Share: Clone + Send + Sync>,
    F: Fn(P::Share, Handed) -> Option<Fut> + Send + Sync + 'static,
    Fut: Future<Output = Step> + Send + 'static,
{
    fn run<'a>(&'a self, items: &'a [Item<P>], attempt: Attempt) -> crate::queue::Step<'a> {
        crate::queue::Step::Later(Box::pin(async move {
            let mut verdict = Verdict::Done;
            for item in items {
                verdict = self.one(item, attempt).await;
            }
            verdict
        }))
    }
}

impl<F> Deliver<F> {
    async fn one<P, Fut>(&self, item: &Item<P>, attempt: Attempt) -> Verdict
    where
        P: Hear<Share: Clone + Send + Sync>,
        F: Fn(P::Share, Handed) -> Option<Fut> + Send + Sync + 'static,
        Fut: Future<Output = Step> + Send + 'static,
    {
        let share = item.share.clone();
        let start = move |handed| {
            let future = (self.run)(share, handed)?;
            Some(Box::pin(future) as BoxFuture)
        };
        let payloads = || {
            let payload = P::payload(item.share.clone());
            let origin = |payload| (item.origin, payload);
            payload.map(origin).into_iter().collect()
        };
        let delivered = self.berth.deliver(item.origin, payloads, start).await;
        let again = !attempt.last && self.is_worth_a_retry(&delivered);
        match delivered {
            Delivered::Ran => Verdict::Done,
            Delivered::Skipped => Verdict::Skipped,
            Delivered::Failed(_) if again => Verdict::Retry,
            Delivered::Failed(failure) => {
                self.berth.tell(Some(item.origin), failure);
                Verdict::Failed
            }
        }
    }

    /// An error the listener returned may be; a panic is a mistake that stays.
    fn is_worth_a_retry(&self, delivered: &Delivered) -> bool {
        delivered.error().is_some_and(|error| {
            let judge = |judge: &RetryIfFn| judge(error);
            self.retry_if.as_ref().is_none_or(judge)
        })
    }
}

/// The bus's own clock.
struct RuntimeClock(Arc<dyn Runtime>);

impl Clock for RuntimeClock {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        self.0.sleep_until(at)
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
        let berth = installer.berth();
        let policy = installer.policy();
        let (min, max) = policy.retry_backoff();
        let retry = Retry::new(policy.max_retries(), Backoff::new(min, max));
        let job = Arc::new(Deliver {
            berth: Arc::clone(&berth),
            run,
            retry_if: self.retry_if,
        });
        let runtime = installer.runtime();
        let start: Arc<dyn Start<Item<P>>> = match &runtime {
            None if self.asynchronous => return refuse_all::<P>(installer, berth),
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
        let config = config(policy, self.key.is_some());
        let own = Arc::new(Line {
            channel: Channel::new(config, clock, start),
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
fn refuse_all<P: Hear>(installer: &mut Installer<'_>, berth: Arc<Berth>) {
    installer.dock(Arc::clone(&berth), None);
    let refuse = move |_, _| {
        match berth.lease() {
        Ok(_) => Offer::Refused(
            FailureKind::NoRuntime,
            "the workers of an async queue are tasks, and the bus has no runtime: build it with `.runtime(..)`".to_owned(),
        ),
        Err(refused) => refused,
    }
    };
    P::install_queue(installer, Box::new(refuse));
}
