//! A delivery to an async listener, from its hand-over to its end.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use crate::bus::Inner;
use crate::context::Handed;
use crate::dispatch::Queue;
use crate::emission::Emission;
use crate::failure::{Failure, FailureKind, drop_guarded, panic_message};
use crate::installer::BoxFuture;
use crate::report::Report;
use crate::returns::{Returned, Step};
use crate::stack::{self, Entry};
use crate::sync::lock;

/// A future that was not run to its end yet. Dropped in this state it is reported.
pub(crate) struct Pending {
    handed: Handed,
    chain: Vec<Entry>,
    future: Option<BoxFuture>,
    spawned: bool,
}

/// How a delivery ended, and what it returned.
pub(crate) struct End {
    pub(crate) result: Result<(), Failure>,
    pub(crate) returned: Vec<Box<dyn Returned>>,
}

/// The bus and the chain of a delivery that ended.
pub(crate) struct FollowUp {
    bus: Arc<Inner>,
    chain: Vec<Entry>,
}

impl FollowUp {
    /// Emits what the listener returned; async deliveries are left with the emission.
    pub(crate) fn emit(self, returned: Vec<Box<dyn Returned>>) -> Emission {
        let mut emission = Emission::nothing();
        let mut queue = Queue::default();
        queue.extend(returned, &self.chain);
        queue.drain(&self.bus, &mut emission);
        emission
    }
}

impl Pending {
    pub(crate) fn new(handed: Handed, chain: Vec<Entry>, future: BoxFuture) -> Self {
        Self {
            handed,
            chain,
            future: Some(future),
            spawned: false,
        }
    }

    pub(crate) fn bus(&self) -> &Arc<Inner> {
        &self.handed.bus
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let Some(future) = self.future.as_mut() else {
            return Poll::Pending;
        };
        let polled = stack::with(|stack| {
            let _resumed = stack.resume(&self.chain);
            catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)))
        });
        let result = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(step)) => Ok(step),
            Err(panic) => Err(panic_message(panic)),
        };
        let dropped = self.drop_future();
        let panicked = |message| {
            self.fail(Failure::new(
                Some(self.handed.listener.clone()),
                FailureKind::Panic,
                message,
            ))
        };
        Poll::Ready(match (result, dropped) {
            (Ok(Step::More(effects)), dropped) => match (effects.error, dropped) {
                (None, Ok(())) => End {
                    result: Ok(()),
                    returned: effects.events,
                },
                (error, dropped) => {
                    let end = match (error, dropped) {
                        (Some(error), _) => {
                            self.fail(Failure::error(self.handed.listener.clone(), error))
                        }
                        (None, dropped) => panicked(dropped.err().unwrap_or_default()),
                    };
                    if let Err(message) = drop_guarded(effects.events) {
                        let bus = &self.handed.bus;
                        bus.tell_drop(Some(&self.handed.listener), "what it returned", &message);
                    }
                    end
                }
            },
            (Err(message), _) | (Ok(_), Err(message)) => panicked(message),
            (Ok(_), Ok(())) => End {
                result: Ok(()),
                returned: Vec::new(),
            },
        })
    }

    /// Tells the hook, on the delivery's own chain: the free `emit` in it uses this bus, as for an inline failure.
    fn tell(&self, failure: Failure) -> Failure {
        stack::with(|stack| {
            let _resumed = stack.resume(&self.chain);
            self.handed.bus.report(failure)
        })
    }

    fn fail(&self, failure: Failure) -> End {
        End {
            result: Err(self.tell(failure)),
            returned: Vec::new(),
        }
    }

    /// Where what the listener returned is emitted from.
    pub(crate) fn follow_up(&mut self) -> FollowUp {
        FollowUp {
            bus: Arc::clone(&self.handed.bus),
            chain: std::mem::take(&mut self.chain),
        }
    }

    /// Ends the future's life; its `Drop` is code of the listener's like its body, on the same bus.
    fn drop_future(&mut self) -> Result<(), String> {
        let future = self.future.take();
        stack::with(|stack| {
            let _resumed = stack.resume(&self.chain);
            drop_guarded(future)
        })
    }

    /// The delivery will not be made: nobody awaited it and there is no runtime.
    pub(crate) fn refuse(mut self) -> Failure {
        let failure = self.unfinished();
        // A panic of the future's own `Drop` is told with the failure.
        match self.drop_future() {
            Ok(()) => failure,
            Err(message) => Failure::new(
                Some(self.handed.listener.clone()),
                failure.kind(),
                format!(
                    "{}; dropping its future panicked: {message}",
                    failure.message()
                ),
            ),
        }
    }

    fn unfinished(&self) -> Failure {
        let (kind, message) = if self.spawned {
            (
                FailureKind::Abandoned,
                "the runtime dropped the listener's future before it finished",
            )
        } else {
            (
                FailureKind::NoRuntime,
                "the emission was not awaited to the end, and the bus has no runtime: write `.await`, or build the bus with `.runtime(..)` and `install()` it",
            )
        };
        Failure::new(Some(self.handed.listener.clone()), kind, message)
    }

    /// Gives the delivery to the bus's runtime. From here on it begins a chain of its own: nothing waits on the stack for it.
    pub(crate) fn spawn(
        mut self,
        runtime: &dyn crate::Runtime,
        completion: Option<Arc<Completion>>,
    ) {
        self.spawned = true;
        if let Some(own) = self.chain.pop() {
            self.chain = vec![own];
        }
        let task = Spawned {
            pending: Some(self),
            completion,
        };
        // A runtime that panics drops the task, which reports itself.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| runtime.spawn(Box::pin(task)))) {
            drop(panic_message(panic));
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.future.is_some() {
            let failure = self.unfinished();
            // The failure is already told; a panic of the future's `Drop` adds nothing that could be acted on.
            let _ = self.drop_future();
            drop(self.tell(failure));
        }
    }
}

/// A delivery as a task of the bus's runtime.
struct Spawned {
    pending: Option<Pending>,
    completion: Option<Arc<Completion>>,
}

impl Future for Spawned {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(pending) = self.pending.as_mut() else {
            return Poll::Ready(());
        };
        let Poll::Ready(end) = pending.poll(cx) else {
            return Poll::Pending;
        };
        if !end.returned.is_empty() {
            drop(pending.follow_up().emit(end.returned));
        }
        self.pending = None;
        if let Some(completion) = self.completion.take() {
            completion.done(end.result);
        }
        Poll::Ready(())
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        let bus = Arc::clone(pending.bus());
        let failure = bus.report(pending.refuse());
        if let Some(completion) = self.completion.take() {
            completion.done(Err(failure));
        }
    }
}

/// Where an awaited emission waits for its spawned deliveries.
pub(crate) struct Completion(Mutex<Waiting>);

struct Waiting {
    left: usize,
    report: Report,
    waker: Option<Waker>,
}

impl Completion {
    pub(crate) fn new(left: usize, report: Report) -> Self {
        Self(Mutex::new(Waiting {
            left,
            report,
            waker: None,
        }))
    }

    fn done(&self, result: Result<(), Failure>) {
        let mut waiting = lock(&self.0);
        waiting.left -= 1;
        match result {
            Ok(()) => waiting.report.ran += 1,
            Err(failure) => waiting.report.fail(failure),
        }
        let waker = if waiting.left == 0 {
            waiting.waker.take()
        } else {
            None
        };
        drop(waiting);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Report> {
        // Cloning and dropping wakers is code of the executor's, which may end other tasks of this emission: not under the lock.
        let waker = cx.waker().clone();
        let mut waiting = lock(&self.0);
        if waiting.left == 0 {
            let report = std::mem::take(&mut waiting.report);
            drop(waiting);
            return Poll::Ready(report);
        }
        let before = waiting.waker.replace(waker);
        drop(waiting);
        drop(before);
        Poll::Pending
    }
}
