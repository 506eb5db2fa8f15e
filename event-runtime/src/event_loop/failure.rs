//! What is told when an item of the loop fails.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::rc::{Rc, Weak};

use event_core::private::{panic_message, tell};

use crate::queue::quiet::drop_quietly;

use super::EventLoop;
use super::core::Core;
use super::error::Fatal;

/// What of a loop failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LoopItem {
    /// What was given to `call_soon`, `call_later`, `call_at`, or one of their `emit_` forms.
    Callback,
    /// A callback that was to be called when a future is done.
    DoneCallback,
    /// A task that nobody waits for.
    Task,
    /// A promise whose error nobody looked at.
    Promise,
    /// The waker of another executor, which waits for something of the loop's.
    Waker,
    /// Tasks that were dropped with the loop.
    Loop,
    /// A listener of a connection's protocol, or what makes the protocol.
    Listener,
    /// What accepts connections.
    Server,
    /// A connection, of whose error no listener hears.
    Connection,
}

impl fmt::Display for LoopItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LoopItem::Callback => "a callback",
            LoopItem::DoneCallback => "a done-callback",
            LoopItem::Task => "a task",
            LoopItem::Promise => "a promise",
            LoopItem::Waker => "a waker",
            LoopItem::Loop => "an event loop",
            LoopItem::Listener => "a listener",
            LoopItem::Server => "a server",
            LoopItem::Connection => "a connection",
        })
    }
}

/// An item of an event loop that returned an error or panicked: what it was, where it was scheduled, and why it failed.
///
/// ```
/// use std::cell::RefCell;
/// use std::rc::Rc;
/// use tidings::EventLoop;
///
/// let lp = EventLoop::virtual_time();
/// let told = Rc::new(RefCell::new(Vec::new()));
/// let failures = Rc::clone(&told);
/// lp.on_failure(move |failure| failures.borrow_mut().push(failure.message().to_owned()));
///
/// lp.call_soon(|_| "twelve".parse::<u32>().map(drop))?;
/// lp.call_soon(|lp| lp.stop())?;
/// lp.run_forever()?;
/// assert_eq!(*told.borrow(), ["invalid digit found in string"]);
/// # Ok::<(), tidings::event_loop::LoopError>(())
/// ```
#[derive(Debug)]
pub struct LoopFailure {
    item: LoopItem,
    name: Option<Rc<str>>,
    place: &'static Location<'static>,
    panicked: bool,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl LoopFailure {
    pub(super) fn panicked(
        item: LoopItem,
        place: &'static Location<'static>,
        panic: Box<dyn Any + Send>,
    ) -> Self {
        Self {
            item,
            name: None,
            place,
            panicked: true,
            message: panic_message(panic),
            source: None,
        }
    }

    pub(super) fn error(
        item: LoopItem,
        place: &'static Location<'static>,
        error: Box<dyn Error + Send + Sync>,
    ) -> Self {
        // An error's `Display` is code of the user's.
        let message =
            catch_unwind(AssertUnwindSafe(|| error.to_string())).unwrap_or_else(|panic| {
                format!("the error's `Display` panicked: {}", panic_message(panic))
            });
        Self {
            item,
            name: None,
            place,
            panicked: false,
            message,
            source: Some(error),
        }
    }

    pub(super) fn said(
        item: LoopItem,
        place: &'static Location<'static>,
        panicked: bool,
        message: String,
    ) -> Self {
        Self {
            item,
            name: None,
            place,
            panicked,
            message,
            source: None,
        }
    }

    pub(super) fn named(mut self, name: Option<Rc<str>>) -> Self {
        self.name = name;
        self
    }

    /// What failed.
    pub fn item(&self) -> LoopItem {
        self.item
    }

    /// The name of the task, if it has one, of the listener or of the server.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Where it was scheduled, or declared if it is a listener.
    pub fn location(&self) -> &'static Location<'static> {
        self.place
    }

    /// Whether it panicked; else it returned an error.
    pub fn is_panic(&self) -> bool {
        self.panicked
    }

    /// The error's or the panic's words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The error that it returned.
    pub fn source(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }
}

impl fmt::Display for LoopFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.item)?;
        if let Some(name) = &self.name {
            write!(f, " named `{name}`")?;
        }
        let what = if self.panicked { "panic" } else { "error" };
        write!(f, " ({}): {what}: {}", self.place, self.message)
    }
}

impl EventLoop {
    /// Tells of something that runs for the loop and is none of its own items; the words of its failure.
    #[doc(hidden)]
    pub fn __tell(
        &self,
        item: LoopItem,
        name: &str,
        place: &'static Location<'static>,
        failed: Result<Box<dyn Error + Send + Sync>, Box<dyn Any + Send>>,
    ) -> String {
        let failure = match failed {
            Ok(error) => LoopFailure::error(item, place, error),
            Err(panic) => LoopFailure::panicked(item, place, panic),
        };
        let failure = failure.named(Some(Rc::from(name)));
        self.core.fail(&failure);
        failure.message
    }
}

/// What is done with failures.
pub(super) type Hook = Rc<dyn Fn(&LoopFailure)>;

/// Tells the loop's hook of a failure, or the world if the loop is gone.
pub(super) fn give(core: &Weak<Core>, failure: &LoopFailure) {
    match core.upgrade() {
        Some(core) => core.fail(failure),
        None => tell(format_args!("{failure}")),
    }
}

impl Core {
    /// Tells of a failure, unless it is one that ends the run.
    pub(super) fn fail(&self, failure: &LoopFailure) {
        let fatal: Option<&Fatal> = failure.source().and_then(|source| source.downcast_ref());
        if let Some(fatal) = fatal.cloned() {
            return self.end_with(fatal);
        }
        self.tell(failure);
    }

    pub(super) fn tell(&self, failure: &LoopFailure) {
        let nested = self.telling.replace(true);
        // A failure inside the hook is told by the default: telling the hook of it could go on for ever.
        let hook = self.hook.borrow().clone().filter(|_| !nested);
        match hook {
            None => tell(format_args!("{failure}")),
            Some(hook) => {
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| hook(failure))) {
                    let message = panic_message(panic);
                    tell(format_args!(
                        "the loop's `on_failure` hook panicked: {message}; it was told: {failure}"
                    ));
                }
                drop_quietly(hook);
            }
        }
        self.telling.set(nested);
    }
}
