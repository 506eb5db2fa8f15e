//! Keeps one mistake to one error.
//!
//! A type that lacks a trait is refused in one place: `hears`, `Need::of` or `gives`. Everywhere else generated code goes through the types
//! of this file. Their own methods ask for the trait; where it is missing, the compiler finds the method of the fallback trait
//! instead, which takes everything, and has nothing to add.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::build::installer::Installer;
use crate::check::{Queueable, Shareable};
use crate::delivery::future_slot::FutureSlot;
use crate::dispatch::context::{Delivery, Handed, Site};
use crate::listener::hear::Hear;
use crate::listener::param::Param;
use crate::listener::returns::{Returns, Step};
use crate::registration::Registration;

/// What the first parameter of a listener refers to.
#[doc(hidden)]
pub struct On<P: ?Sized>(PhantomData<fn(&P)>);

impl<P: ?Sized> On<P> {
    #[expect(clippy::new_without_default, reason = "only generated code makes one")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<P: Hear> On<P> {
    /// Installs a function of the event alone.
    // Apart, so that a listener's own code is a call.
    #[inline(never)]
    pub fn plain(
        &self,
        installer: &mut Installer<'_>,
        registration: Registration,
        f: for<'x, 'y> fn(&'y P::View<'x>),
    ) {
        if self.accepted(installer, registration) {
            P::install_plain(installer, f);
        }
    }

    /// Whether to install the listener of this description.
    pub fn accepted(&self, installer: &mut Installer<'_>, mut registration: Registration) -> bool {
        registration.heard = P::heard;
        installer.accepts(&registration)
    }

    pub fn sync<F>(&self, installer: &mut Installer<'_>, f: F)
    where
        F: for<'x, 'y, 'z> Fn(&'y P::View<'x>, &Delivery<'z>) -> Step + Send + Sync + 'static,
    {
        P::install_bound(installer, Box::new(f));
    }

    /// Gives the condition of a listener its argument type.
    pub fn condition<F>(&self, f: F) -> F
    where
        F: for<'x, 'y> Fn(&'y P::View<'x>) -> bool + Send + Sync + 'static,
    {
        f
    }

    pub fn hold<'a>(&self, share: &'a P::Share) -> P::Held<'a> {
        P::hold(share)
    }

    pub fn hold_all<'a>(&self, shares: &'a [P::Share]) -> Vec<P::Held<'a>> {
        shares.iter().map(P::hold).collect()
    }

    /// What a listener of batches is given.
    pub fn views<'a, 'x>(&self, held: &'a [P::Held<'x>]) -> Vec<&'a P::View<'x>> {
        held.iter().map(|held| &**held).collect()
    }

    /// Refuses an event that threads cannot share.
    pub fn shared(&self)
    where
        P::Share: Shareable,
    {
    }

    /// Refuses an event that a queue cannot keep.
    pub fn queueable(&self)
    where
        P::Share: Queueable,
    {
    }
}

impl<P: Hear<Share: Shareable>> On<P> {
    pub fn future<F, Fut>(&self, installer: &mut Installer<'_>, f: F)
    where
        F: Fn(P::Share, &Handed) -> Option<Fut> + Send + Sync + 'static,
        Fut: Future<Output = Step> + Send + 'static,
    {
        let start =
            move |share, handed: &Handed, slot: &mut FutureSlot| slot.fill(f(share, handed));
        P::install_async(installer, Box::new(start));
    }
}

impl<P: ?Sized> fmt::Debug for On<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("On")
    }
}

/// For a type that is no event, and for async deliveries of one that threads cannot share.
#[doc(hidden)]
pub trait OnFallback<P: ?Sized> {
    fn plain(&self, _: &mut Installer<'_>, _: Registration, _: fn(&P)) {}
    fn accepted(&self, _: &mut Installer<'_>, _: Registration) -> bool {
        false
    }
    fn sync<F: Fn(&P, &Delivery<'_>) -> Step>(&self, _: &mut Installer<'_>, _: F) {}
    fn condition<F: Fn(&P) -> bool>(&self, f: F) -> F {
        f
    }
    fn hold<'a>(&self, share: &'a Arc<P>) -> &'a P {
        share
    }
    fn hold_all<'a>(&self, shares: &'a [Arc<P>]) -> Vec<&'a P> {
        shares.iter().map(|share| &**share).collect()
    }
    fn views<'a>(&self, held: &[&'a P]) -> Vec<&'a P> {
        held.to_vec()
    }
    fn shared(&self) {}
    fn queueable(&self) {}
    fn future<F, Fut>(&self, _: &mut Installer<'_>, _: F)
    where
        F: Fn(Arc<P>, &Handed) -> Option<Fut>,
        Fut: Future<Output = Step>,
    {
    }
}

impl<P: ?Sized> OnFallback<P> for On<P> {}

/// A condition and what it judges.
#[doc(hidden)]
pub struct Test<'a, P: ?Sized, F>(&'a F, PhantomData<fn(&P)>);

impl<'a, P: ?Sized, F> Test<'a, P, F> {
    #[inline]
    pub const fn new(condition: &'a F) -> Self {
        Self(condition, PhantomData)
    }
}

impl<P: Hear, F: for<'x, 'y> Fn(&'y P::View<'x>) -> bool> Test<'_, P, F> {
    #[inline]
    pub fn holds(&self, event: &P::View<'_>) -> bool {
        (self.0)(event)
    }
}

impl<P: ?Sized, F> fmt::Debug for Test<'_, P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Test")
    }
}

/// For a closure that is no condition of the event.
#[doc(hidden)]
pub trait TestFallback {
    fn holds<E>(&self, _: E) -> bool {
        false
    }
}

impl<P: ?Sized, F> TestFallback for Test<'_, P, F> {}

/// A parameter of a listener after the event.
#[doc(hidden)]
pub struct Ask<P>(PhantomData<fn(P)>);

impl<P> Ask<P> {
    #[expect(clippy::new_without_default, reason = "only generated code makes one")]
    #[inline]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<P: Param> Ask<P> {
    pub fn bind(&self, installer: &mut Installer<'_>) -> P::Bound {
        installer.param::<P>()
    }

    #[inline]
    pub fn get<'a, S: Site>(&self, bound: &'a P::Bound, site: &'a S) -> P::Item<'a> {
        P::get(bound, site)
    }
}

impl<P> fmt::Debug for Ask<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ask")
    }
}

/// What a refused parameter is bound to.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub enum Refused {}

/// For a type that a listener cannot ask for.
#[doc(hidden)]
pub trait AskFallback<P> {
    fn bind(&self, _: &mut Installer<'_>) -> Refused {
        unreachable!("a program with such a parameter does not compile")
    }
    fn get<S>(&self, refused: &Refused, _: &S) -> P {
        match *refused {}
    }
}

impl<P> AskFallback<P> for Ask<P> {}

/// What a listener returned.
#[doc(hidden)]
#[derive(Debug)]
pub struct Outcome<R>(pub R);

impl<R: Returns> Outcome<R> {
    #[inline]
    pub fn step(self) -> Step {
        self.0.into_step()
    }
}

/// For a type that a listener cannot return.
#[doc(hidden)]
pub trait OutcomeFallback: Sized {
    fn step(self) -> Step {
        Step::Done
    }
}

impl<R> OutcomeFallback for Outcome<R> {}
