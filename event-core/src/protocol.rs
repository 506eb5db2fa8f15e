//! What the protocols of connections need of a bus: its state for their parameters, and a context for a delivery that no emission brought.

use std::panic::Location;

use crate::build::error::{BuildError, Problem};
use crate::build::missing_state;
use crate::build::state::StateMap;
use crate::bus::current::elsewhere;
use crate::bus::scope::current_bus;
use crate::bus::{Bus, Inner};
use crate::dispatch::context::Context;
use crate::event::EventOps;
use crate::listener::{ListenerInfo, StateNeed};
use crate::registration::Registration;

/// The bus of the free `emit` here, for `what`, which needs it.
///
/// # Errors
///
/// Why there is none.
pub fn bus(what: &'static str, location: &'static Location<'static>) -> Result<Bus, String> {
    let found = match Inner::by_id(current_bus()) {
        Some(bus) => Ok(bus),
        None => elsewhere(current_bus(), what, location),
    };
    match found {
        Ok(bus) => Ok(Bus::from_inner(bus)),
        Err(failure) => Err(failure.message().to_owned()),
    }
}

/// The number of a bus, for a [`Scope`](crate::bus::scope::Scope).
pub fn number(bus: &Bus) -> u64 {
    bus.inner().id
}

/// The bus with a number, if it still lives.
pub fn by_number(number: u64) -> Option<Bus> {
    Inner::by_id(number).map(Bus::from_inner)
}

/// The state of a bus.
pub fn state(bus: &Bus) -> &StateMap {
    &bus.inner().state
}

/// The description of a protocol's listener as everybody sees it.
pub fn listener(registration: &'static Registration) -> ListenerInfo {
    ListenerInfo::method(registration)
}

/// What is wrong if a bus, of which `which` says which it is, has not the state that a protocol's listener needs.
pub fn missing(
    registration: &Registration,
    asked: &StateNeed,
    bus: &Bus,
    which: &'static str,
) -> Problem {
    missing_state(registration, asked, state(bus), which)
}

/// Makes one error of all problems.
///
/// # Errors
///
/// If there are any.
pub fn check(problems: Vec<Problem>) -> Result<(), BuildError> {
    BuildError::check(problems)
}

/// A delivery outside of every emission.
pub fn context<'a>(
    bus: &'a Bus,
    ops: &'static EventOps,
    listener: &'a ListenerInfo,
) -> Context<'a> {
    Context {
        bus: bus.inner(),
        ops,
        listener,
        depth: 0,
        cause: None,
    }
}
