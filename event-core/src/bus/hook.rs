//! Where failures are told, beside the report.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock};

use crate::bus::Inner;
use crate::dispatch::failure::{Failure, FailureKind, panic_message};
use crate::dispatch::stack;
use crate::listener::ListenerInfo;
use crate::sync::lock;

/// What a bus does with a failure.
pub(crate) enum Hook {
    /// A `tracing` error event; where nobody subscribes to those, a line on stderr, once a listener.
    Default(Once),
    User(Box<dyn Fn(&Failure) + Send + Sync>),
}

/// How many names are printed; beyond it nothing is.
const MOST_NAMES: usize = 1024;

/// Names that were printed already.
#[derive(Default)]
pub(crate) struct Once(Mutex<HashSet<String>>);

impl Once {
    fn first(&self, name: &str) -> bool {
        let mut names = lock(&self.0);
        // Failures without a listener are known by their words, which may be new every time.
        names.len() < MOST_NAMES && names.insert(name.to_owned())
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
        self.report_of(failure, 1)
    }

    /// The same for a call of so many deliveries, which failed together.
    #[cold]
    pub(crate) fn report_of(&self, failure: Failure, deliveries: usize) -> Failure {
        if let Some(interceptor) = self.interceptor() {
            interceptor.failed(&failure, deliveries);
        }
        self.hook.tell(&failure);
        failure
    }

    /// Tells of a panic in the `Drop` of a user's value, where the delivery itself is counted already.
    #[cold]
    pub(crate) fn tell_drop(&self, listener: Option<&ListenerInfo>, what: &str, message: &str) {
        let message = format!("dropping {what} panicked: {message}");
        drop(self.report(Failure::new(listener.cloned(), FailureKind::Panic, message)));
    }

    pub(crate) fn warn_unheard(&self, topic: &str, message: &str) {
        if self.warned.first(topic) {
            warn(message);
        }
    }
}

impl Hook {
    pub(crate) fn tell(&self, failure: &Failure) {
        // A failure inside the hook is printed: telling the hook of it could go on for ever.
        let nested = stack::with(|stack| stack.set_hook(true));
        let told = catch_unwind(AssertUnwindSafe(|| match self {
            _ if nested => print(format_args!("in the `on_failure` hook: {failure}")),
            Hook::Default(once) => tell_default(once, failure),
            Hook::User(hook) => hook(failure),
        }));
        if let Err(panic) = told {
            let message = panic_message(panic);
            print(format_args!(
                "the `on_failure` hook panicked: {message}; it was told: {failure}"
            ));
        }
        stack::with(|stack| stack.set_hook(nested));
    }
}

fn tell_default(once: &Once, failure: &Failure) {
    #[cfg(feature = "tracing")]
    if is_traced() {
        let listener = failure.listener().map(ListenerInfo::id);
        tracing::error!(target: "tidings", listener, kind = %failure.kind(), "{}", failure.message());
        return;
    }
    let name = failure.listener().map_or_else(
        || failure.message().to_owned(),
        |l| ListenerInfo::id(l).to_owned(),
    );
    if once.first(&name) {
        let further = match failure.listener() {
            Some(_) => {
                " (further failures of this listener are not printed; set `on_failure` or a tracing subscriber to see all)"
            }
            None => "",
        };
        print(format_args!("{failure}{further}"));
    }
}

fn warn(message: &str) {
    #[cfg(feature = "tracing")]
    if is_traced() {
        // A subscriber is code of the user's, and its panic must not end the emission.
        let traced = catch_unwind(|| tracing::warn!(target: "tidings", "{message}"));
        if let Err(panic) = traced {
            let panic = panic_message(panic);
            print(format_args!(
                "the tracing subscriber panicked: {panic}; it was told: {message}"
            ));
        }
        return;
    }
    print(format_args!("{message}"));
}

/// Whether somebody subscribes to `tracing` events on this thread. That one was set elsewhere says nothing about here.
#[cfg(feature = "tracing")]
fn is_traced() -> bool {
    tracing::dispatcher::get_default(|dispatch| !dispatch.is::<tracing::subscriber::NoSubscriber>())
}

/// `eprintln!`, since test runners capture that. It panics where there is no stderr, and the program is to go on.
fn print(text: std::fmt::Arguments<'_>) {
    let _ = catch_unwind(AssertUnwindSafe(|| eprintln!("tidings: {text}")));
}

/// Tells of a failure that belongs to no bus.
pub(crate) fn tell_without_bus(failure: Failure) -> Failure {
    static HOOK: OnceLock<Arc<Hook>> = OnceLock::new();
    HOOK.get_or_init(Arc::default).tell(&failure);
    failure
}

/// Tells of a failure that is none of a listener: a `tracing` error event, or a line on stderr.
#[doc(hidden)]
pub fn tell(text: std::fmt::Arguments<'_>) {
    #[cfg(feature = "tracing")]
    if is_traced() {
        let traced = catch_unwind(AssertUnwindSafe(|| {
            tracing::error!(target: "tidings", "{text}");
        }));
        if let Err(panic) = traced {
            let panic = panic_message(panic);
            print(format_args!(
                "the tracing subscriber panicked: {panic}; it was told: {text}"
            ));
        }
        return;
    }
    print(text);
}
