//! What keeps one mistake to one error.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::hash::DefaultHasher;
use std::marker::PhantomData;
use std::sync::Arc;

use event_core::Context;
use event_core::private::{Handed, Hear, Installer, Step};

use super::Queued;

/// The way of a listener to its queue.
///
/// As in the core's `typed`, an event that no queue can keep is refused in one other place. Here the compiler then finds the method of
/// the fallback, whose queue takes everything and has nothing to add.
#[doc(hidden)]
pub struct Behind<P: ?Sized>(PhantomData<fn(&P)>);

impl<P: ?Sized> Behind<P> {
    #[expect(clippy::new_without_default, reason = "only generated code makes one")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<P: Hear<Share: Clone + Send + Sync>> Behind<P> {
    pub fn queue(&self, asynchronous: bool) -> Queued<P> {
        Queued::new(asynchronous)
    }
}

impl<P: ?Sized> fmt::Debug for Behind<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Behind")
    }
}

/// For a type that is no event, and for one that threads cannot share.
#[doc(hidden)]
pub trait BehindFallback<P: ?Sized> {
    fn queue(&self, _: bool) -> NoQueue<P> {
        NoQueue(PhantomData)
    }
}

impl<P: ?Sized> BehindFallback<P> for Behind<P> {}

/// Takes the place of the queue in a program that does not compile.
#[doc(hidden)]
pub struct NoQueue<P: ?Sized>(PhantomData<fn(&P)>);

impl<P: ?Sized> NoQueue<P> {
    #[must_use]
    pub fn ticking<S>(self, _: S) -> Self {
        self
    }

    #[must_use]
    pub fn debounced(self) -> Self {
        self
    }

    #[must_use]
    pub fn throttled(self) -> Self {
        self
    }

    #[must_use]
    pub fn key<F: Fn(&P, &mut DefaultHasher)>(self, _: F) -> Self {
        self
    }

    #[must_use]
    pub fn when<F: Fn(&P) -> bool>(self, _: F) -> Self {
        self
    }

    #[must_use]
    pub fn retry_if<F: Fn(&(dyn Error + Send + Sync + 'static)) -> bool>(self, _: F) -> Self {
        self
    }

    pub fn install<F, Fut>(self, _: &mut Installer<'_>, _: F)
    where
        F: Fn(Arc<P>, Handed) -> Option<Fut>,
        Fut: Future<Output = Step>,
    {
    }

    pub fn install_now<F>(self, _: &mut Installer<'_>, _: F)
    where
        F: Fn(&P, &Context<'_>) -> Step,
    {
    }

    pub fn install_batch_now<F>(self, _: &mut Installer<'_>, _: F)
    where
        F: Fn(&[&P], &Context<'_>) -> Step,
    {
    }

    pub fn install_batch<F, Fut>(self, _: &mut Installer<'_>, _: F)
    where
        F: Fn(Vec<Arc<P>>, Handed) -> Option<Fut>,
        Fut: Future<Output = Step>,
    {
    }
}

impl<P: ?Sized> fmt::Debug for NoQueue<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoQueue")
    }
}
