//! The listeners of one protocol, each at the place of its event.

use std::fmt;

use event_core::private::{EventOps, Registration};

use super::asks::{Given, Need};
use super::kind::{Heard, KINDS, Occurred};
use super::returns::Turned;

/// Calls a listener.
pub(crate) type Run<P> = for<'a, 'b> fn(&mut P, &Occurred<'a>, &'b Given<'b>) -> Turned;

pub(crate) struct Entry<P> {
    pub(crate) run: Run<P>,
    pub(crate) ops: fn() -> &'static EventOps,
    pub(crate) registration: Registration,
    pub(crate) needs: &'static [Need],
}

/// A constant of the program: the way of an event to its listener is one index and one call.
#[doc(hidden)]
pub struct Table<P>([Option<Entry<P>>; KINDS]);

impl<P> Table<P> {
    #[expect(clippy::new_without_default, reason = "only generated code makes one")]
    pub const fn new() -> Self {
        Self([const { None }; KINDS])
    }

    /// Adds the listener of an event.
    #[must_use]
    pub const fn on<E>(
        mut self,
        heard: &Heard<E>,
        registration: Registration,
        needs: &'static [Need],
        run: Run<P>,
    ) -> Self {
        self.0[heard.kind] = Some(Entry {
            run,
            ops: heard.ops,
            registration: registration.hears(heard.hears),
            needs,
        });
        self
    }

    pub(super) const fn hears_data(&self) -> bool {
        self.0[Occurred::DATA].is_some()
    }

    pub(super) const fn hears_filled(&self) -> bool {
        self.0[Occurred::FILLED].is_some()
    }

    #[inline]
    pub(crate) fn entry(&self, kind: usize) -> Option<&Entry<P>> {
        self.0[kind].as_ref()
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry<P>> {
        self.0.iter().flatten()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = impl fmt::Debug> {
        self.entries().map(|entry| &entry.registration)
    }
}
