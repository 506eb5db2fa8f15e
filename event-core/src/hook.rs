//! Where failures are told, beside the report.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock};

use crate::bus::Inner;
use crate::failure::{Failure, panic_message};
use crate::listener::ListenerInfo;
use crate::stack;
use crate::sync::lock;

/// What a bus does with a failure.
pub(crate) enum Hook {
    /// A `tracing` error event; where nobody subscribes to those, a line on stderr, once a listener.
    Default(Once),
    User(Box<dyn Fn(&Failure) + Send + Sync>),
}

/// Names that were printed already.
#[derive(Default)]
pub(crate) struct Once(Mutex<HashSet<String>>);

impl Once {
    fn first(&self, name: &str) -> bool {
        lock(&self.0).insert(name.to_owned())
    }
}

impl Default for Hook {
    fn default() -> Self {
        Hook::Default(Once::default())
    }
}

impl Inner {
    /// Tells the hook; the failure goes on into the report.
    #[cold]
    pub(crate) fn report(&self, failure: Failure) -> Failure {
        self.hook.tell(&failure);
        failure
    }

    pub(crate) fn warn_unheard(&self, topic: &str, message: &str) {
        if self.warned.first(topic) {
            warn(message);
        }
    }
}

impl Hook {
    fn tell(&self, failure: &Failure) {
        // A failure inside the hook is printed: telling the hook of it could go on for ever.
        let nested = stack::with(|stack| stack.set_hook(true));
        match self {
            _ if nested => eprintln!("tidings: in the `on_failure` hook: {failure}"),
            Hook::Default(once) => tell_default(once, failure),
            Hook::User(hook) => {
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| hook(failure))) {
                    eprintln!("tidings: the `on_failure` hook panicked: {}; it was told: {failure}", panic_message(panic));
                }
            }
        }
        stack::with(|stack| stack.set_hook(nested));
    }
}

fn tell_default(once: &Once, failure: &Failure) {
    #[cfg(feature = "tracing")]
    if tracing::dispatcher::has_been_set() {
        let listener = failure.listener().map(ListenerInfo::id);
        tracing::error!(target: "tidings", listener, kind = %failure.kind(), "{}", failure.message());
        return;
    }
    let name = failure.listener().map_or_else(|| failure.message().to_owned(), |l| ListenerInfo::id(l).to_owned());
    if once.first(&name) {
        eprintln!("tidings: {failure} (further failures of this listener are not printed; set `on_failure` or a tracing subscriber to see all)");
    }
}

fn warn(message: &str) {
    #[cfg(feature = "tracing")]
    if tracing::dispatcher::has_been_set() {
        tracing::warn!(target: "tidings", "{message}");
        return;
    }
    eprintln!("tidings: {message}");
}

/// Tells of a failure that belongs to no bus.
pub(crate) fn tell_without_bus(failure: Failure) -> Failure {
    static HOOK: OnceLock<Arc<Hook>> = OnceLock::new();
    HOOK.get_or_init(Arc::default).tell(&failure);
    failure
}
