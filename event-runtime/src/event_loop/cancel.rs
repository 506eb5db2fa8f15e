//! Who asks a task to end, and why.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(feature = "signal")]
use super::signal::Signal;

/// Why a task was asked to end: the first request counts. It is what [`cancelled`](super::EventLoop::cancelled) ends with.
///
/// ```
/// use tidings::event_loop::{CancelReason, EventLoop};
///
/// let lp = EventLoop::virtual_time();
/// let own = lp.clone();
/// let task = lp.spawn(async move { own.cancelled().await })?;
/// lp.turn(std::time::Duration::ZERO)?;
/// task.cancel_with("the window was closed");
/// task.cancel();
///
/// let reason = lp.run_until_complete(task)?.expect("it ends by itself");
/// assert_eq!(reason, CancelReason::Said("the window was closed".into()));
/// # Ok::<(), tidings::event_loop::LoopError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CancelReason {
    /// By [`cancel`](super::JoinHandle::cancel) or [`abort`](super::JoinHandle::abort).
    Requested,
    /// By [`cancel_with`](super::JoinHandle::cancel_with), with these words.
    Said(Arc<str>),
    /// Its scope failed, was cancelled or dropped.
    Scope(ScopeId),
    /// Who waited for it did so in a [`timeout`](super::EventLoop::timeout), whose time is over.
    Timeout,
    /// Who waited for it is gone: its handle or its [`TaskSet`](super::TaskSet) was dropped.
    Dropped,
    /// The loop is shut down or closed.
    Close,
    /// [`stop`](super::EventLoop::stop) asked the program to end.
    Stop,
    /// The signal asked the program to end.
    #[cfg(feature = "signal")]
    Signal(Signal),
}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CancelReason::Requested => f.write_str("somebody asked it to end"),
            CancelReason::Said(why) => f.write_str(why),
            CancelReason::Scope(_) => f.write_str("its scope has ended"),
            CancelReason::Timeout => f.write_str("the time of who waited for it is over"),
            CancelReason::Dropped => f.write_str("nobody waits for it any more"),
            CancelReason::Close => f.write_str("the event loop is shut down"),
            CancelReason::Stop => f.write_str("`stop()` asked the program to end"),
            #[cfg(feature = "signal")]
            CancelReason::Signal(signal) => write!(f, "{signal} asked the program to end"),
        }
    }
}

/// One [scope](super::TaskScope) of the program, so that nested ones can be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ScopeId(u64);

impl Default for ScopeId {
    /// Of a new scope.
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

thread_local! {
    /// Why futures are dropped here just now, and with them handles that somebody awaited.
    static BECAUSE: RefCell<Option<CancelReason>> = const { RefCell::new(None) };
}

/// Futures are dropped for this reason, until the guard is dropped.
#[must_use = "the reason holds until this is dropped"]
pub(super) struct Because(Option<CancelReason>);

pub(super) fn because(reason: CancelReason) -> Because {
    let before = BECAUSE.try_with(|place| place.replace(Some(reason)));
    // At the end of a thread it is not asked for any more.
    Because(before.unwrap_or_default())
}

impl Drop for Because {
    fn drop(&mut self) {
        let _ = BECAUSE.try_with(|place| place.replace(self.0.take()));
    }
}

/// Why a handle is dropped here.
pub(super) fn why_dropped() -> CancelReason {
    let here = BECAUSE.try_with(|place| place.borrow().clone());
    here.ok().flatten().unwrap_or(CancelReason::Dropped)
}
