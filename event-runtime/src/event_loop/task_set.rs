//! Tasks whose ends are taken in the order in which they come.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::{IntoFuture, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use futures_core::Stream;

use crate::sync::lock;

use super::error::LoopError;
use super::join::{JoinError, JoinHandle};
use super::outcome::TaskResult;
use super::tasks::TaskKey;
use super::{EventLoop, local};

/// Tasks of one type, whose results come in the order in which the tasks end: with [`next`](Self::next), or as a `futures_core::Stream`.
///
/// Who gives up waiting, in a [`timeout`](EventLoop::timeout) for example, leaves the tasks running. They are [cancelled](JoinHandle::cancel)
/// when the set is dropped; [`detach_all`](Self::detach_all) lets them run on.
///
/// ```
/// use std::time::Duration;
/// use tidings::EventLoop;
///
/// let lp = EventLoop::virtual_time();
/// let second = Duration::from_secs(1);
/// lp.run_until_complete(async {
///     let mut set = lp.task_set();
///     for number in [3, 1, 2] {
///         let sleep = lp.sleep(second * number);
///         set.spawn(async move {
///             sleep.await;
///             number
///         })?;
///     }
///     // The first one.
///     assert_eq!(set.next().await, Some(Ok(1)));
///     // Whoever is in time; the others go on.
///     assert!(lp.timeout(second / 2, set.next()).await.is_err());
///     assert_eq!(set.len(), 2);
///     // All.
///     let mut rest = Vec::new();
///     while let Some(done) = set.next().await {
///         rest.push(done.expect("no task is cancelled"));
///     }
///     assert_eq!(rest, [2, 3]);
///     Ok::<(), tidings::event_loop::LoopError>(())
/// })??;
/// # Ok::<(), tidings::event_loop::LoopError>(())
/// ```
///
/// Tasks that may fail until the first that does:
///
/// ```
/// use tidings::EventLoop;
///
/// let lp = EventLoop::virtual_time();
/// let failed = lp.run_until_complete(async {
///     let mut set = lp.task_set();
///     for text in ["1", "two", "3"] {
///         set.spawn(async move { text.parse::<u32>() })?;
///     }
///     while let Some(done) = set.next().await {
///         if let Ok(Err(error)) = done {
///             return Ok(Some(error));
///         }
///     }
///     Ok::<_, tidings::event_loop::LoopError>(None)
/// })??;
/// assert!(failed.is_some_and(|error| error.to_string().contains("invalid digit")));
/// # Ok::<(), tidings::event_loop::LoopError>(())
/// ```
#[must_use = "the tasks are cancelled when the set is dropped"]
pub struct TaskSet<T: 'static> {
    lp: EventLoop,
    tasks: BTreeMap<u64, JoinHandle<T>>,
    next: u64,
    done: Arc<Done>,
    /// Who looked at the set last, and the first task that was not looked at then.
    seen: Option<(Asker, u64)>,
}

impl EventLoop {
    /// An empty [`TaskSet`], for tasks whose results are taken in the order in which they come.
    pub fn task_set<T: 'static>(&self) -> TaskSet<T> {
        TaskSet {
            lp: self.clone(),
            tasks: BTreeMap::new(),
            next: 0,
            done: Arc::default(),
            seen: None,
        }
    }
}

impl<T: 'static> TaskSet<T> {
    /// Starts a task of the set.
    ///
    /// # Errors
    ///
    /// [`LoopError::Closed`]; the future is dropped.
    #[track_caller]
    pub fn spawn<F>(&mut self, future: F) -> Result<(), LoopError>
    where
        F: IntoFuture<Output = T, IntoFuture: 'static>,
    {
        let task = self.lp.spawn(future)?;
        self.add(task);
        Ok(())
    }

    /// Takes in a task that was started elsewhere: with a name, or on a thread by [`blocking`](EventLoop::blocking).
    pub fn add(&mut self, mut task: JoinHandle<T>) {
        let key = self.next;
        self.next += 1;
        let done = Arc::clone(&self.done);
        if !task.wake_at_end(&Waker::from(Arc::new(Bell { done, key }))) {
            self.done.add(key);
        }
        self.tasks.insert(key, task);
    }

    /// How many tasks are in the set whose results were not taken.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether there is nothing to wait for.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Waits for the next task to end, and takes its result; nothing if the set is empty. Dropped before it ends, it has taken none.
    ///
    /// # Errors
    ///
    /// Inside, those of awaiting the task's handle.
    pub async fn next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// The result of a task that has ended, without waiting.
    pub fn try_next(&mut self) -> Option<Result<T, JoinError>> {
        while let Some(key) = self.done.take() {
            if let Some(mut task) = self.tasks.remove(&key) {
                // Its result may have been taken before it came into the set.
                return Some(task.take().unwrap_or(Err(JoinError::Cancelled)));
            }
        }
        None
    }

    /// Asks all tasks to end; their results are still to be taken.
    pub fn cancel_all(&self) {
        for task in self.tasks.values() {
            task.cancel();
        }
    }

    /// Empties the set and lets its tasks run on. Their errors and panics are told to the loop's hook.
    pub fn detach_all(&mut self)
    where
        T: TaskResult,
    {
        for task in std::mem::take(&mut self.tasks).into_values() {
            task.detach();
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        if self.tasks.is_empty() {
            return Poll::Ready(None);
        }
        // First, so that an end that comes now is not missed.
        self.done.wake_at_next(cx.waker());
        if let Some(result) = self.try_next() {
            return Poll::Ready(Some(result));
        }
        if let Some((key, refused)) = self.refused() {
            if let Some(mut task) = self.tasks.remove(&key) {
                // As with a handle of its own: what cannot be waited for here runs on.
                task.wait_no_more();
            }
            return Poll::Ready(Some(Err(refused)));
        }
        Poll::Pending
    }

    /// A task that cannot end as long as somebody waits for it here.
    fn refused(&mut self) -> Option<(u64, JoinError)> {
        let asker = Asker::now();
        let from = match self.seen {
            Some((before, from)) if before == asker => from,
            _ => 0,
        };
        let mut unseen = self.tasks.range(from..);
        let refused = unseen.find_map(|(key, task)| Some((*key, task.refused()?)));
        let seen = refused.as_ref().map_or(self.next, |(key, _)| key + 1);
        self.seen = Some((asker, seen));
        refused
    }
}

/// Whom a task could keep waiting for ever: that depends on the loop that runs, and on the task.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Asker(Option<(u64, Option<TaskKey>)>);

impl Asker {
    fn now() -> Self {
        Self(local::running().map(|core| {
            let task = core.current_task.borrow();
            let key = task.as_ref().map(|task| task.control().key.get());
            (core.shared.id, key)
        }))
    }
}

impl<T: 'static> Stream for TaskSet<T> {
    type Item = Result<T, JoinError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.tasks.len(), None)
    }
}

impl<T: 'static> fmt::Debug for TaskSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskSet({} tasks)", self.tasks.len())
    }
}

/// The tasks that have ended, and who waits for the next one. Wakers go anywhere, so it is for threads.
#[derive(Default)]
struct Done(Mutex<State>);

#[derive(Default)]
struct State {
    ended: VecDeque<u64>,
    waker: Option<Waker>,
}

impl Done {
    fn take(&self) -> Option<u64> {
        lock(&self.0).ended.pop_front()
    }

    fn add(&self, key: u64) {
        let mut state = lock(&self.0);
        state.ended.push_back(key);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn wake_at_next(&self, waker: &Waker) {
        let waker = waker.clone();
        let before = lock(&self.0).waker.replace(waker);
        drop(before);
    }
}

/// Tells of the end of one task.
struct Bell {
    done: Arc<Done>,
    key: u64,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.done.add(self.key);
    }
}
