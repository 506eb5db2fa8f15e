//! Waiting for file descriptors that no transport is made of.

mod state;

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::os::fd::AsFd;
use std::panic::Location;
use std::rc::Rc;

use event_core::private::scope::current_bus;
use event_runtime::event_loop::{EventLoop, JoinHandle};
use tokio::io::Interest;

use self::state::{Drive, State, Watched, boxed};
use crate::error::TransportError;
use crate::stream::check_reactor;

/// What the callback of a watch has left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchState {
    /// Reading or writing would have blocked: the callback is called when that is different. It is not called any more when the other side is closed and
    /// it has been told so, unless it is replaced.
    Drained,
    /// There may be more: the callback is called again in the next turn of the loop.
    More,
}

/// What the callback of a watch may return: a [`WatchState`], or a `Result` of one.
#[diagnostic::on_unimplemented(
    message = "the callback of a watch cannot return `{Self}`",
    label = "neither `WatchState` nor a `Result<WatchState, E>`",
    note = "return `WatchState::Drained` after reading or writing would have blocked, and `WatchState::More` otherwise"
)]
pub trait WatchResult: sealed::Sealed {
    #[doc(hidden)]
    fn state(self) -> Result<WatchState, Box<dyn Error + Send + Sync>>;
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for super::WatchState {}

    impl<E> Sealed for Result<super::WatchState, E> {}
}

impl WatchResult for WatchState {
    fn state(self) -> Result<WatchState, Box<dyn Error + Send + Sync>> {
        Ok(self)
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> WatchResult for Result<WatchState, E> {
    fn state(self) -> Result<WatchState, Box<dyn Error + Send + Sync>> {
        self.map_err(Into::into)
    }
}

/// Calls `callback` in the loop whenever `fd` can be read, or its other side is closed.
///
/// The descriptor is moved in, or shared in an `Rc`, and must not block; the callback borrows it. The callback says whether it has taken everything: see [`WatchState`]. What
/// it fails with, or its panic, is told to the loop's hook, and then it is called again.
///
/// ```
/// use std::io::{ErrorKind, Read, Write};
/// use std::os::unix::net::UnixStream;
/// use tidings::EventLoop;
/// use tidings::transport::{WatchState, watch_readable};
///
/// let lp = EventLoop::new()?;
/// let (ours, mut theirs) = UnixStream::pair()?;
/// ours.set_nonblocking(true)?;
/// let heard = lp.run_until_complete(async {
///     let (told, line) = lp.promise();
///     let told = told.shared();
///     let _watch = watch_readable(&lp, ours, move |mut fd: &UnixStream| {
///         let mut buffer = [0; 100];
///         match fd.read(&mut buffer) {
///             Ok(size) => {
///                 told.resolve(String::from_utf8_lossy(&buffer[..size]).into_owned())?;
///                 Ok(WatchState::More)
///             }
///             Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(WatchState::Drained),
///             Err(error) => Err(Box::<dyn std::error::Error + Send + Sync>::from(error)),
///         }
///     })?;
///     theirs.write_all(b"hello")?;
///     Ok::<_, Box<dyn std::error::Error>>(line.await?)
/// })??;
/// assert_eq!(heard, "hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The descriptor of a transport cannot be watched, since the transport owns it:
///
/// ```compile_fail,E0382
/// use tidings::transport::{WatchState, connect, stream, watch_readable};
/// use tidings::EventLoop;
///
/// # #[derive(Default)]
/// # struct Silent;
/// # #[tidings::protocol]
/// # impl Silent {}
/// async fn both(lp: &EventLoop, socket: tokio::net::UnixStream) {
///     let _connecting = connect::<Silent>(lp, stream(socket));
///     let _watch = watch_readable(lp, socket, |_: &_| WatchState::Drained);
/// }
/// ```
///
/// # Errors
///
/// [`NoReactor`](crate::TransportErrorKind::NoReactor) if the loop has no I/O or is not run, [`Watch`](crate::TransportErrorKind::Watch) if the operating
/// system cannot wait for such a descriptor, as for a regular file, there are too many, or the descriptor blocks.
#[track_caller]
pub fn watch_readable<F, R>(
    lp: &EventLoop,
    fd: F,
    callback: impl FnMut(&F) -> R + 'static,
) -> Result<WatchHandle<F>, TransportError>
where
    F: AsFd + 'static,
    R: WatchResult,
{
    WatchHandle::begin(lp, fd, Interest::READABLE, callback)
}

/// Calls `callback` in the loop whenever `fd` can be written, or its other side is closed. Otherwise it is as [`watch_readable`].
///
/// ```
/// use std::cell::Cell;
/// use std::os::unix::net::UnixStream;
/// use std::rc::Rc;
/// use tidings::EventLoop;
/// use tidings::transport::{WatchState, watch_writable};
///
/// let lp = EventLoop::new()?;
/// let (ours, _theirs) = UnixStream::pair()?;
/// ours.set_nonblocking(true)?;
/// let is_writable = Rc::new(Cell::new(false));
/// let seen = Rc::clone(&is_writable);
/// lp.run_until_complete(async {
///     let watch = watch_writable(&lp, ours, move |_: &UnixStream| {
///         seen.set(true);
///         WatchState::Drained
///     })?;
///     while !is_writable.get() {
///         lp.next_turn().await;
///     }
///     assert!(watch.remove());
///     assert!(!watch.remove(), "it is not watched any more");
///     Ok::<_, tidings::transport::TransportError>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Those of [`watch_readable`].
#[track_caller]
pub fn watch_writable<F, R>(
    lp: &EventLoop,
    fd: F,
    callback: impl FnMut(&F) -> R + 'static,
) -> Result<WatchHandle<F>, TransportError>
where
    F: AsFd + 'static,
    R: WatchResult,
{
    WatchHandle::begin(lp, fd, Interest::WRITABLE, callback)
}

/// A watch of a file descriptor: what [`watch_readable`] and [`watch_writable`] give.
///
/// It ends when this is dropped, unless [`forever`](Self::forever) keeps it, and when its loop is shut down. It belongs to the thread of its loop.
#[must_use = "the watch ends when this is dropped; keep it, or write `.forever()`"]
pub struct WatchHandle<F: AsFd + 'static> {
    state: Rc<State<F>>,
    keeps: bool,
}

impl<F: AsFd + 'static> WatchHandle<F> {
    #[track_caller]
    fn begin<R: WatchResult>(
        lp: &EventLoop,
        fd: F,
        interest: Interest,
        callback: impl FnMut(&F) -> R + 'static,
    ) -> Result<Self, TransportError> {
        check_reactor("a watch of a file descriptor")?;
        let fd = Watched::of(fd, interest).map_err(TransportError::watch)?;
        let state = Rc::new(State {
            lp: lp.clone(),
            place: Location::caller(),
            bus: current_bus(),
            is_read: interest.is_readable(),
            fd: RefCell::new(Some(Rc::new(fd))),
            callback: RefCell::new(Some(boxed(callback))),
            is_over: Cell::new(false),
            waker: RefCell::new(None),
        });
        let drive = Drive {
            state: Rc::clone(&state),
            cancelled: None,
        };
        let task = lp.spawn(drive).map_err(TransportError::closed)?;
        JoinHandle::<()>::detach(task);
        Ok(Self { state, keeps: true })
    }

    /// Puts another callback in the place of the one before, which is not called any more.
    pub fn replace<R: WatchResult>(&self, callback: impl FnMut(&F) -> R + 'static) {
        self.state.replace(boxed(callback));
    }

    /// Ends the watch: the callback is not called any more, and the descriptor is let go. Whether there was a watch.
    #[expect(clippy::must_use_candidate, reason = "the answer is for those who ask")]
    pub fn remove(&self) -> bool {
        self.state.remove()
    }

    /// Whether it is not ended.
    pub fn is_watched(&self) -> bool {
        self.state.fd.borrow().is_some()
    }

    /// Keeps the watch until its loop ends.
    pub fn forever(mut self) {
        self.keeps = false;
    }
}

impl<F: AsFd + 'static> Drop for WatchHandle<F> {
    fn drop(&mut self) {
        if self.keeps {
            self.state.remove();
        }
    }
}

impl<F: AsFd + 'static> fmt::Debug for WatchHandle<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchHandle")
            .field("is_read", &self.state.is_read)
            .field("is_watched", &self.is_watched())
            .finish_non_exhaustive()
    }
}
