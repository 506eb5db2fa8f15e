//! What other threads may hold of a loop: its clock, and the inbox that its turns empty.

use std::panic::Location;
use std::task::Waker;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard, lock};

use super::EventLoop;
use super::outcome::Ended;
use super::tasks::TaskKey;

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
    closed: bool,
}

pub(super) struct Shared {
    pub(super) id: u64,
    home: ThreadId,
    start: Instant,
    /// Nanoseconds since the start, if the clock is virtual.
    virtual_time: Option<AtomicU64>,
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
            virtual_time: is_virtual.then(|| AtomicU64::new(0)),
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
            Some(nanos) => self.start + Duration::from_nanos(nanos.load(Ordering::Acquire)),
        }
    }

    /// Whether the clock can ever show that time.
    pub(super) fn reaches(&self, at: Instant) -> bool {
        let since = || at.saturating_duration_since(self.start).as_nanos();
        !self.is_virtual() || u64::try_from(since()).is_ok()
    }

    /// Sets a virtual clock forward.
    pub(super) fn set(&self, at: Instant) {
        if let Some(nanos) = &self.virtual_time {
            let since = at.saturating_duration_since(self.start).as_nanos();
            nanos.fetch_max(u64::try_from(since).unwrap_or(u64::MAX), Ordering::AcqRel);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        lock(&self.inbox)
    }

    /// Gives the message back if the loop is closed.
    pub(super) fn post(&self, message: Message) -> Result<(), Message> {
        let mut inbox = self.lock();
        if inbox.closed {
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
        inbox.closed = true;
        let waker = inbox.waker.take();
        let messages = std::mem::take(&mut inbox.messages);
        drop(inbox);
        drop(waker);
        messages
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// From another thread: has the loop stop after its turn.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        // To end its wait.
        drop(self.post(Message::Nothing));
    }

    pub(super) fn take_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed) && self.stop.swap(false, Ordering::AcqRel)
    }
}
