//! How the deliveries that a queue hands over are made.

use std::error::Error;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use event_core::private::{
    Berth, BoxFuture, Delivered, Events, Handed, Hear, Origin, Pace, RetryIf, Step, Turn,
};
use event_core::{Context, FailureKind};

use super::line::Ending;
use super::{Item, RetryIfFn};
use crate::queue::quiet::forget_panic;
use crate::queue::{Attempt, Desk, Job, Loss, Verdict};

/// How a listener is called with what its queue gives at once.
pub(super) trait Call<P: Hear>: Send + Sync + 'static {
    /// `None` is a delivery that the listener does not want.
    fn start(&self, items: &[Item<P>], handed: Handed) -> Option<BoxFuture>;
}

/// With one event.
pub(super) struct One<F>(pub(super) F);

/// With several, in a `Vec`.
pub(super) struct Many<F>(pub(super) F);

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
pub(super) trait CallNow<P: Hear>: Send + Sync + 'static {
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
pub(super) struct Later<C>(pub(super) C);

/// A plain function, which ends in its call.
pub(super) struct Now<C>(pub(super) C);

/// Runs the listener on items.
pub(super) struct Deliver<C> {
    pub(super) berth: Arc<Berth>,
    pub(super) call: C,
    pub(super) retry_if: Option<RetryIfFn>,
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
