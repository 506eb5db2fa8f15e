//! What other threads may hold of a loop: its clock, and the inbox that its turns empty.

use std::panic::Location;
use std::task::Waker;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crate::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use crate::sync::{Mutex, MutexGuard, lock};

use super::EventLoop;
use super::outcome::Ended;
use super::tasks::TaskKey;

/// A time in nanoseconds since the loop's start, which are quicker to compare than an [`Instant`]; negative before it.
pub(super) type Nanos = i64;

/// The greatest of all times, 292 years away, stands for all that come after it too. No clock reaches it.
const NEVER: Nanos = Nanos::MAX;

/// Something that came from another thread.
pub(super) enum Message {
    /// A task was woken.
    Step(TaskKey),
    /// To be called in its turn.
    Call(RemoteCall),
    /// Only the wait is to end.
    Nothing,
}

/// A callback of another thread.
pub(super) struct RemoteCall {
    pub(super) f: Box<dyn FnOnce(&EventLoop) -> Ended + Send>,
    /// The bus that was current there.
    pub(super) bus: u64,
    pub(super) place: &'static Location<'static>,
}

#[derive(Default)]
struct Inbox {
    messages: Vec<Message>,
    /// Ends the wait of the driver.
    waker: Option<Waker>,
    closed_at: Option<Instant>,
}

pub(super) struct Shared {
    pub(super) id: u64,
    home: ThreadId,
    start: Instant,
    /// Nanoseconds since the start, if the clock is virtual.
    virtual_time: Option<AtomicI64>,
    inbox: Mutex<Inbox>,
    /// Something is in the inbox.
    pub(super) has_mail: AtomicBool,
    stop: AtomicBool,
}

impl Shared {
    pub(super) fn new(is_virtual: bool) -> Self {
        static IDS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        Self {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            home: thread::current().id(),
            start: Instant::now(),
            virtual_time: is_virtual.then(|| AtomicI64::new(0)),
            inbox: Mutex::new(Inbox::default()),
            has_mail: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        }
    }

    pub(super) fn is_home(&self) -> bool {
        thread::current().id() == self.home
    }

    pub(super) fn start(&self) -> Instant {
        self.start
    }

    pub(super) fn is_virtual(&self) -> bool {
        self.virtual_time.is_some()
    }

    pub(super) fn now(&self) -> Instant {
        match &self.virtual_time {
            None => Instant::now(),
            Some(nanos) => self.time(nanos.load(Ordering::Acquire)),
        }
    }

    /// The time for what does not end with the loop: a virtual clock goes on with the real one once its loop is closed.
    pub(super) fn steady_now(&self) -> Instant {
        let now = self.now();
        let closed_at = self.virtual_time.as_ref().and(self.lock().closed_at);
        let since = closed_at.map_or(Duration::ZERO, |at| at.elapsed());
        now.checked_add(since).unwrap_or(now)
    }

    pub(super) fn now_in_nanos(&self) -> Nanos {
        match &self.virtual_time {
            None => self.nanos(Instant::now()),
            Some(nanos) => nanos.load(Ordering::Acquire),
        }
    }

    pub(super) fn nanos(&self, at: Instant) -> Nanos {
        let nanos = |time: Duration| Nanos::try_from(time.as_nanos()).unwrap_or(NEVER);
        match at.checked_duration_since(self.start) {
            Some(since) => nanos(since),
            None => -nanos(self.start - at),
        }
    }

    pub(super) fn time(&self, nanos: Nanos) -> Instant {
        let time = Duration::from_nanos(nanos.unsigned_abs());
        let time = if nanos < 0 {
            self.start.checked_sub(time)
        } else {
            self.start.checked_add(time)
        };
        time.unwrap_or(self.start)
    }

    /// Whether the clock can ever show that time.
    pub(super) fn reaches(&self, at: Nanos) -> bool {
        at < NEVER || !self.is_virtual()
    }

    /// Sets a virtual clock forward.
    pub(super) fn set(&self, at: Nanos) {
        if let Some(nanos) = &self.virtual_time {
            nanos.fetch_max(at, Ordering::AcqRel);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        lock(&self.inbox)
    }

    /// Gives the message back if the loop is closed.
    pub(super) fn post(&self, message: Message) -> Result<(), Message> {
        let mut inbox = self.lock();
        if inbox.closed_at.is_some() {
            return Err(message);
        }
        inbox.messages.push(message);
        self.has_mail.store(true, Ordering::Release);
        let waker = inbox.waker.take();
        drop(inbox);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    /// The same for several, which the loop takes together. Whether it is open.
    pub(super) fn post_all(&self, messages: Vec<Message>) -> bool {
        let mut inbox = self.lock();
        if inbox.closed_at.is_some() {
            // What they captured is a user's, and dropped without the lock.
            drop(inbox);
            drop(messages);
            return false;
        }
        inbox.messages.extend(messages);
        self.has_mail.store(true, Ordering::Release);
        let waker = inbox.waker.take();
        drop(inbox);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Ends the wait of the driver.
    pub(super) fn wake(&self) {
        let waker = self.lock().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// What came, unless nothing did: then the waker is called at the next message.
    pub(super) fn take(&self) -> Vec<Message> {
        let mut inbox = self.lock();
        self.has_mail.store(false, Ordering::Release);
        std::mem::take(&mut inbox.messages)
    }

    /// Has the waker called at the next message. Whether there is none yet.
    pub(super) fn listen(&self, waker: &Waker) -> bool {
        let waker = waker.clone();
        let mut inbox = self.lock();
        let is_empty = inbox.messages.is_empty();
        let before = inbox.waker.replace(waker);
        drop(inbox);
        // A waker is code of an executor's.
        drop(before);
        is_empty
    }

    /// Nothing comes in any more. What is left is for the caller to drop.
    pub(super) fn close(&self) -> Vec<Message> {
        let mut inbox = self.lock();
        inbox.closed_at.get_or_insert_with(Instant::now);
        let waker = inbox.waker.take();
        let messages = std::mem::take(&mut inbox.messages);
        drop(inbox);
        drop(waker);
        messages
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed_at.is_some()
    }

    /// From another thread: has the loop stop after its turn.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        // To end its wait.
        self.post_all(vec![Message::Nothing]);
    }

    pub(super) fn take_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed) && self.stop.swap(false, Ordering::AcqRel)
    }
}
