//! The records that the linker gathers. The only file that names `inventory`: another mechanism would change nothing else.

mod record;

use std::any::TypeId;
use std::fmt;
use std::panic::Location;

pub use record::{Registration, Selector};

use crate::build::installer::Installer;
use crate::bus::methods::Listeners;
use crate::event::{EventInfo, EventOps};

/// One listener as the linker sees it: the function that describes it and installs it with its true types.
///
/// The description is no static, because the loader would have to write each of its addresses at the start of every program, and the
/// compiler to evaluate it in every check.
#[doc(hidden)]
#[must_use = "a description does nothing"]
pub struct Linked(fn(&mut Installer<'_>));

impl Linked {
    pub const fn new(listener: fn(&mut Installer<'_>)) -> Self {
        Self(listener)
    }

    pub(crate) fn registration(&self) -> Registration {
        let mut said = None;
        self.tell(&mut |registration| said = Some(*registration));
        said.expect("a listener describes itself before it is installed")
    }

    /// Calls `hear` with the description.
    pub(crate) fn tell(&self, hear: &mut dyn FnMut(&Registration)) {
        (self.0)(&mut Installer::new(
            &mut |registration| {
                hear(registration);
                false
            },
            None,
        ));
    }

    pub(crate) fn install(&self, installer: &mut Installer<'_>) {
        (self.0)(installer);
    }
}

impl fmt::Debug for Linked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.registration(), f)
    }
}

/// The listener methods of one type as the linker sees them: known by function, but not installed before an instance is attached.
#[doc(hidden)]
#[must_use = "a description does nothing"]
pub struct LinkedMethods(fn(&mut Tell<'_>));

type Tell<'a> = dyn FnMut(&Registration) + 'a;

impl LinkedMethods {
    pub const fn of<T: Listeners>() -> Self {
        Self(|hear| {
            for method in T::__listeners() {
                hear(method.registration());
            }
        })
    }
}

impl fmt::Debug for LinkedMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkedMethods")
    }
}

/// One event declaration as the linker sees it.
#[doc(hidden)]
#[derive(Debug)]
pub struct EventRegistration {
    pub(crate) info: &'static EventInfo,
    pub(crate) ops: Option<fn() -> &'static EventOps>,
    /// It belongs to the library, which is no reason to show it.
    pub(crate) is_own: bool,
}

impl EventRegistration {
    pub const fn new(info: &'static EventInfo, ops: Option<fn() -> &'static EventOps>) -> Self {
        Self {
            info,
            ops,
            is_own: false,
        }
    }

    /// For an event of the library's own: the catalog shows it only if a linked listener hears it.
    #[must_use]
    pub const fn own(mut self) -> Self {
        self.is_own = true;
        self
    }
}

/// One crate that a binary asked for by [`link!`](crate::link).
#[doc(hidden)]
#[derive(Debug)]
pub struct LinkRequest {
    pub(crate) name: &'static str,
    pub(crate) location: &'static Location<'static>,
}

impl LinkRequest {
    #[track_caller]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            location: Location::caller(),
        }
    }
}

/// A record of our own: where it is missing, the platform gathered nothing.
struct Sentinel;

inventory::collect!(Linked);
inventory::collect!(LinkedMethods);
inventory::collect!(EventRegistration);
inventory::collect!(LinkRequest);
inventory::collect!(Sentinel);
inventory::submit! { Sentinel }

#[doc(hidden)]
pub use inventory::submit;

pub(crate) fn linked_listeners() -> impl Iterator<Item = &'static Linked> {
    inventory::iter::<Linked>.into_iter()
}

/// The listener method that is the function of this key.
pub(crate) fn linked_method(key: TypeId) -> Option<Registration> {
    let mut found = None;
    for methods in inventory::iter::<LinkedMethods> {
        (methods.0)(&mut |method| {
            if (method.key)() == key {
                found = Some(*method);
            }
        });
    }
    found
}

/// Every listener method of the program.
pub(crate) fn linked_methods() -> Vec<Registration> {
    let mut found = Vec::new();
    for methods in inventory::iter::<LinkedMethods> {
        (methods.0)(&mut |method| found.push(*method));
    }
    found
}

pub(crate) fn linked_events() -> impl Iterator<Item = &'static EventRegistration> {
    inventory::iter::<EventRegistration>.into_iter()
}

pub(crate) fn link_requests() -> impl Iterator<Item = &'static LinkRequest> {
    inventory::iter::<LinkRequest>.into_iter()
}

/// Whether the platform runs what gathers the records.
pub(crate) fn platform_gathers() -> bool {
    inventory::iter::<Sentinel>.into_iter().next().is_some()
}

/// The first segment of a module path.
pub(crate) fn crate_of(module: &'static str) -> &'static str {
    module.split(':').next().unwrap_or(module)
}
