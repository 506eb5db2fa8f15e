//! One watch, and the task that waits for its descriptor.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::error::Error;
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use event_core::private::scope::Scope;
use event_runtime::event_loop::{Cancelled, EventLoop, LoopItem};
use rustix::event::PollFlags;
use rustix::fs::{OFlags, fcntl_getfl};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::{WatchResult, WatchState};
use crate::level::level;

const ALWAYS_READY: &str = "the operating system cannot wait for it, as it is a regular file or a directory, which is always ready: read it, or have tokio's `File` do so";

/// A callback reads until there is nothing more. Where that blocks, the whole loop would stand still.
const BLOCKS: &str =
    "it blocks, and with it the loop would: write `set_nonblocking(true)` before it is watched";

pub(super) struct Watched<F> {
    /// A duplicate, which stays what it is whatever `fd` does, and which the reactor has not seen before.
    ready: RefCell<AsyncFd<OwnedFd>>,
    fd: F,
}

impl<F: AsFd> Watched<F> {
    pub(super) fn of(fd: F, interest: Interest) -> io::Result<Self> {
        let ready = registered(&fd, interest).map_err(|error| {
            // What `epoll` says of a regular file and a directory.
            if error.kind() == io::ErrorKind::PermissionDenied {
                return io::Error::new(error.kind(), ALWAYS_READY);
            }
            error
        })?;
        if !fcntl_getfl(&ready)?.contains(OFlags::NONBLOCK) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, BLOCKS));
        }
        let ready = RefCell::new(ready);
        Ok(Self { ready, fd })
    }
}

fn registered(fd: impl AsFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    let own = fd.as_fd().try_clone_to_owned()?;
    // What is wrong with it, that its descriptor might change or be closed, an `OwnedFd` cannot do.
    #[allow(deprecated, reason = "what comes in its place is not safe")]
    AsyncFd::with_interest(own, interest)
}

pub(super) type Callback<F> =
    Box<dyn FnMut(&F) -> Result<WatchState, Box<dyn Error + Send + Sync>>>;

pub(super) fn boxed<F, R: WatchResult>(mut callback: impl FnMut(&F) -> R + 'static) -> Callback<F> {
    Box::new(move |fd| callback(fd).state())
}

pub(super) struct State<F: AsFd + 'static> {
    pub(super) lp: EventLoop,
    pub(super) place: &'static Location<'static>,
    /// The bus that was current when it was made is so for its callback.
    pub(super) bus: u64,
    pub(super) is_read: bool,
    /// `None` when it has ended.
    pub(super) fd: RefCell<Option<Rc<Watched<F>>>>,
    /// `None` while it runs, and when the watch has ended.
    pub(super) callback: RefCell<Option<Callback<F>>>,
    /// The other side is closed and the callback has drained what there was: nothing will come any more.
    pub(super) is_over: Cell<bool>,
    pub(super) waker: RefCell<Option<Waker>>,
}

impl<F: AsFd> State<F> {
    pub(super) fn remove(&self) -> bool {
        let fd = self.fd.take();
        self.wake();
        let callback = self.callback.take();
        drop(callback);
        fd.is_some()
    }

    pub(super) fn replace(&self, callback: Callback<F>) {
        if self.fd.borrow().is_none() {
            return;
        }
        let before = self.callback.replace(Some(callback));
        // It has heard nothing yet of an end.
        if self.is_over.replace(false) {
            self.wake();
        }
        drop(before);
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Calls the callback, if the descriptor is ready.
    fn poll(&self, fd: &Watched<F>, cx: &mut Context<'_>) -> Poll<WatchState> {
        if self.is_over.get() {
            return Poll::Pending;
        }
        let polled = self.poll_ready(fd, cx);
        Poll::Ready(ready!(polled).unwrap_or_else(|error| {
            self.tell(Ok(error.into()));
            self.remove();
            WatchState::Drained
        }))
    }

    fn poll_ready(&self, fd: &Watched<F>, cx: &mut Context<'_>) -> Poll<io::Result<WatchState>> {
        let watched = fd.ready.borrow();
        let mut ready = ready!(if self.is_read {
            watched.poll_read_ready(cx)
        } else {
            watched.poll_write_ready(cx)
        })?;
        // A callback that is replaced while it runs takes this back.
        self.is_over.set(true);
        let state = self.call(&fd.fd);
        let is_new = !self.is_over.replace(false);
        if state == WatchState::More || self.fd.borrow().is_none() {
            return Poll::Ready(Ok(state));
        }
        let closed = ready.ready();
        if !closed.is_read_closed() && !closed.is_write_closed() {
            ready.clear_ready();
            return Poll::Ready(Ok(state));
        }
        // The reactor never takes that back, and would have the callback called for ever.
        drop(watched);
        if !self.is_closed(&fd.fd)? {
            *fd.ready.borrow_mut() = registered(&fd.fd, self.interest())?;
        } else if is_new {
            return Poll::Ready(Ok(WatchState::More));
        } else {
            self.is_over.set(true);
        }
        Poll::Ready(Ok(state))
    }

    fn interest(&self) -> Interest {
        if self.is_read {
            Interest::READABLE
        } else {
            Interest::WRITABLE
        }
    }

    /// Whether the other side is closed now; a FIFO may have another one.
    fn is_closed(&self, fd: &F) -> io::Result<bool> {
        let closed = PollFlags::HUP | PollFlags::ERR;
        if !self.is_read {
            return Ok(level(fd, PollFlags::OUT)?.intersects(closed));
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if level(fd, PollFlags::RDHUP)?.contains(PollFlags::RDHUP) {
            return Ok(true);
        }
        // Somebody may have written and left since then.
        let now = level(fd, PollFlags::IN)?;
        Ok(now.intersects(closed) && !now.contains(PollFlags::IN))
    }

    fn call(&self, fd: &F) -> WatchState {
        let Some(mut callback) = self.callback.take() else {
            return WatchState::Drained;
        };
        let ended = {
            let _scope = Scope::enter(self.bus);
            catch_unwind(AssertUnwindSafe(|| callback(fd)))
        };
        if self.fd.borrow().is_some() && self.callback.borrow().is_none() {
            *self.callback.borrow_mut() = Some(callback);
        } else {
            drop(callback);
        }
        match ended {
            Ok(Ok(state)) => return state,
            Ok(Err(error)) => self.tell(Ok(error)),
            Err(panic) => self.tell(Err(panic)),
        }
        // What it has left is there still.
        WatchState::More
    }

    fn tell(&self, failed: Result<Box<dyn Error + Send + Sync>, Box<dyn Any + Send>>) {
        let name = if self.is_read {
            "watch_readable"
        } else {
            "watch_writable"
        };
        self.lp.__tell(LoopItem::Callback, name, self.place, failed);
    }
}

pub(super) struct Drive<F: AsFd + 'static> {
    pub(super) state: Rc<State<F>>,
    /// The loop asks its tasks to end.
    pub(super) cancelled: Option<Cancelled>,
}

impl<F: AsFd> Future for Drive<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let state = &this.state;
        drop(state.waker.replace(Some(cx.waker().clone())));
        let cancelled = this.cancelled.get_or_insert_with(|| state.lp.cancelled());
        if Pin::new(cancelled).poll(cx).is_ready() {
            state.remove();
        }
        // After the callback has drained it, the second time only waits.
        for _ in 0..2 {
            let fd = state.fd.borrow().clone();
            let Some(fd) = fd else {
                return Poll::Ready(());
            };
            match state.poll(&fd, cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(WatchState::Drained) => {}
                Poll::Ready(WatchState::More) => break,
            }
        }
        // The others have their turn first.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<F: AsFd> Drop for Drive<F> {
    fn drop(&mut self) {
        self.state.remove();
    }
}
