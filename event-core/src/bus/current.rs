//! The bus that the free function `emit` uses.

use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use crate::build;
use crate::build::error::BuildError;
use crate::bus::escape;
use crate::bus::hook;
use crate::bus::place::{Place, Refused};
use crate::bus::{Bus, Inner};
use crate::dispatch::emission::Emission;
use crate::dispatch::failure::{Failure, FailureKind, drop_guarded};
use crate::dispatch::stack;
use crate::event::Event;

static PLACE: LazyLock<Place<Inner>> = LazyLock::new(Place::new);
/// The number of the bus in [`PLACE`], which everything that is scheduled on a loop asks for.
static INSTALLED: AtomicU64 = AtomicU64::new(0);
static DEFAULT: OnceLock<Result<Bus, BuildError>> = OnceLock::new();

/// Emits an event on the current bus.
///
/// That is the bus whose listener is running here (also inside an async listener), else the [installed](Bus::install) one, else a
/// default bus with all linked listeners and no state. If the default bus cannot be built, the report has one failure of the kind
/// [`NoBus`](FailureKind::NoBus).
///
/// ```standalone_crate
/// use tidings::{emit, event, listener};
///
/// #[event]
/// struct Greeted {
///     name: String,
/// }
///
/// #[listener]
/// fn greet(e: &Greeted) {
///     println!("Hello {}", e.name);
/// }
///
/// let report = emit(Greeted { name: "Ada".into() }).report();
/// assert_eq!(report.ran(), 1);
/// ```
#[inline]
#[track_caller]
pub fn emit<E: Event>(event: E) -> Emission {
    let id = stack::with(stack::Stack::current_bus);
    let installed = PLACE.installed();
    match &**installed {
        Some(bus) if id == 0 || bus.id == id => bus.emit(event),
        _ => emit_elsewhere(id, event, Location::caller()),
    }
}

/// As [`emit`], on behalf of who stands at `place`.
pub fn emit_from<E: Event>(event: E, place: &'static Location<'static>) -> Emission {
    emit_elsewhere(crate::bus::scope::current_bus(), event, place)
}

#[inline(never)]
fn emit_elsewhere<E: Event>(id: u64, event: E, location: &'static Location<'static>) -> Emission {
    match elsewhere(id, E::TOPIC, location) {
        Ok(bus) => bus.emit_from(event, location),
        Err(failure) => no_bus(failure, event),
    }
}

/// The bus of the running listener or of the scope, else the default one.
pub(crate) fn elsewhere(
    id: u64,
    topic: &'static str,
    location: &'static Location<'static>,
) -> Result<Arc<Inner>, Failure> {
    let no_bus = |message| Failure::new(None, FailureKind::NoBus, message);
    if id != 0 {
        let gone = || no_bus("the bus that ran this listener is gone".to_owned());
        return Inner::by_id(id).ok_or_else(gone);
    }
    if escape::caught(topic, location) {
        return Err(no_bus(format!(
            "`{topic}` was emitted at {location} past the test's bus, and no listener is called; emit it with `bus.emit(..)`, or run the code in `bus.scope(..)`"
        )));
    }
    if let Some(bus) = PLACE.claim_default() {
        return Ok(bus);
    }
    match DEFAULT.get_or_init(|| build::build(Bus::builder().for_default(), "the default bus")) {
        Ok(bus) => Ok(Arc::clone(bus.inner())),
        Err(error) => Err(no_bus(format!(
            "the default bus cannot be built; build one with `Bus::builder()` and `install()` it in `main`: {error}"
        ))
        .with_source(error.clone())),
    }
}

#[cold]
fn no_bus<E: Event>(failure: Failure, event: E) -> Emission {
    let mut emission = Emission::failed(hook::tell_without_bus(failure));
    if let Err(message) = drop_guarded(event) {
        let message = format!("dropping the event panicked: {message}");
        let failure = Failure::new(None, FailureKind::Panic, message);
        emission.fail(hook::tell_without_bus(failure));
    }
    emission
}

/// The number of the installed bus; 0 for none.
pub(crate) fn installed() -> u64 {
    INSTALLED.load(Ordering::Acquire)
}

/// How long a dropped guard waits for what was accepted.
const DRAIN: Duration = Duration::from_secs(5);

/// Keeps a bus installed; the bus is taken out again when this is dropped.
///
/// Then async deliveries that were handed over are waited for, for 5 seconds unless [`drain_for`](Installed::drain_for) says otherwise; what
/// is left is given up, as by [`shutdown`](Bus::shutdown). On a thread of the bus's runtime nothing is waited for: await `shutdown` there.
#[must_use = "the bus is taken out again when the guard is dropped; keep it until the end of `main`"]
#[derive(Debug)]
pub struct Installed {
    bus: Bus,
    drain: Duration,
}

impl Installed {
    /// Waits for `time` instead of 5 seconds when the guard is dropped.
    pub fn drain_for(mut self, time: Duration) -> Self {
        self.drain = time;
        self
    }
}

impl Bus {
    /// Makes this the bus of the free function [`emit`](crate::emit()), for as long as the guard lives.
    ///
    /// ```standalone_crate
    /// use tidings::{Bus, emit, event, listener};
    /// # use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// #[event]
    /// struct Paid {
    ///     cents: u64,
    /// }
    ///
    /// #[listener]
    /// fn sum(e: &Paid, total: &AtomicU64) {
    ///     total.fetch_add(e.cents, Ordering::Relaxed);
    /// }
    ///
    /// let bus = Bus::builder().state(AtomicU64::new(0)).build()?.install()?;
    /// assert_eq!(emit(Paid { cents: 250 }).report().ran(), 1);
    /// drop(bus);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InstallError`] if another bus is installed, or if the free `emit` has already used the default bus: events would then go two
    /// ways.
    pub fn install(self) -> Result<Installed, InstallError> {
        match PLACE.install(Arc::clone(self.inner())) {
            Ok(()) => {
                INSTALLED.store(self.inner().id, Ordering::Release);
                Ok(Installed {
                    bus: self,
                    drain: DRAIN,
                })
            }
            Err(Refused::AlreadyInstalled) => Err(InstallError {
                kind: InstallErrorKind::AlreadyInstalled,
                bus: self,
            }),
            Err(Refused::AlreadyInUse) => Err(InstallError {
                kind: InstallErrorKind::AlreadyInUse,
                bus: self,
            }),
        }
    }
}

impl Inner {
    /// Makes this the current bus of the thread while `f` runs, outside of listeners.
    pub(crate) fn scope<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Restore(u64);

        impl Drop for Restore {
            fn drop(&mut self) {
                stack::with(|stack| stack.set_scope(self.0));
            }
        }

        let _restore = Restore(stack::with(|stack| stack.set_scope(self.id)));
        f()
    }
}

impl Deref for Installed {
    type Target = Bus;

    fn deref(&self) -> &Bus {
        &self.bus
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        // Before the place is free: the next number is that of the next bus.
        INSTALLED.store(0, Ordering::Release);
        drop(PLACE.uninstall());
        self.bus.inner().drain(self.drain);
    }
}

/// Why a bus was not installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstallErrorKind {
    /// Another bus is installed.
    AlreadyInstalled,
    /// The free `emit` was called before, and made the default bus.
    AlreadyInUse,
}

/// A bus that could not be installed; it gives the bus back.
#[derive(Debug)]
pub struct InstallError {
    kind: InstallErrorKind,
    bus: Bus,
}

impl InstallError {
    /// Why.
    pub fn kind(&self) -> InstallErrorKind {
        self.kind
    }

    /// The bus that was to be installed.
    pub fn into_bus(self) -> Bus {
        self.bus
    }
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            InstallErrorKind::AlreadyInstalled => "another bus is installed; drop its guard first, or emit with `bus.emit(..)`",
            InstallErrorKind::AlreadyInUse => "the free `emit` has already used the default bus; install this one before the first `emit`",
        })
    }
}

impl Error for InstallError {}
