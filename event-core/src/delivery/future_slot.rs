//! Where an async delivery's future lives: a box that the next delivery may use again.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::build::installer::BoxFuture;
use crate::listener::returns::Step;

/// Larger boxes are not kept for the next delivery.
const MAX_KEPT: usize = 2048;

/// The place of a listener's future, of whatever type. All of it is compiled for every async listener, so it is as little as can be.
trait Reusable: Send {
    /// Polls the future. When it is ready its step goes to `step`, and then it is dropped.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>, step: &mut Option<Step>);
    /// Takes another future of the same type out of `next`; without one, just drops what is here. Whether it did.
    fn put(self: Pin<&mut Self>, next: Option<&mut dyn Any>) -> bool;
}

impl<F: Future<Output = Step> + Send + 'static> Reusable for Option<F> {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>, step: &mut Option<Step>) {
        if let Some(future) = self.as_mut().as_pin_mut() {
            if let Poll::Ready(ready) = future.poll(cx) {
                *step = Some(ready);
                self.set(None);
            }
        }
    }

    fn put(mut self: Pin<&mut Self>, next: Option<&mut dyn Any>) -> bool {
        let next = match next.map(<dyn Any>::downcast_mut::<Self>) {
            Some(None) => return false,
            Some(Some(next)) => next.take(),
            None => None,
        };
        self.set(next);
        true
    }
}

/// A future, or the box that one left.
#[doc(hidden)]
#[derive(Default)]
pub struct FutureSlot {
    place: Place,
    full: bool,
}

#[derive(Default)]
enum Place {
    #[default]
    Nothing,
    Kept(Pin<Box<dyn Reusable>>),
    /// Of a type that nobody knows any more, and so used once.
    Once(BoxFuture),
}

impl FutureSlot {
    /// Puts a future in; whether there was one.
    pub(crate) fn fill<F>(&mut self, mut future: Option<F>) -> bool
    where
        F: Future<Output = Step> + Send + 'static,
    {
        if future.is_none() {
            return false;
        }
        if !self.reuse(&mut future) {
            self.place = Place::Kept(Box::pin(future));
        }
        self.full = true;
        true
    }

    fn reuse(&mut self, future: &mut dyn Any) -> bool {
        match &mut self.place {
            Place::Kept(place) => place.as_mut().put(Some(future)),
            Place::Nothing | Place::Once(_) => false,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.full
    }

    /// The future with its place.
    pub(crate) fn take(&mut self) -> Self {
        if self.full {
            std::mem::take(self)
        } else {
            Self::default()
        }
    }

    /// Polls the future. When it is ready its step goes to `step`, and then it is dropped; either may panic.
    pub(crate) fn poll_into(&mut self, cx: &mut Context<'_>, step: &mut Option<Step>) {
        match &mut self.place {
            Place::Kept(place) if self.full => {
                place.as_mut().poll(cx, step);
                if step.is_some() {
                    self.leave();
                }
            }
            Place::Once(future) if self.full => {
                if let Poll::Ready(ready) = future.as_mut().poll(cx) {
                    *step = Some(ready);
                    self.clear();
                }
            }
            _ => {}
        }
    }

    /// Drops the future, which may panic.
    pub(crate) fn clear(&mut self) {
        self.full = false;
        match &mut self.place {
            Place::Kept(place) => {
                place.as_mut().put(None);
                self.leave();
            }
            Place::Nothing | Place::Once(_) => drop(std::mem::take(&mut self.place)),
        }
    }

    /// The place is empty now.
    fn leave(&mut self) {
        self.full = false;
        if let Place::Kept(place) = &self.place {
            if size_of_val(&**place) > MAX_KEPT {
                self.place = Place::Nothing;
            }
        }
    }

    pub(crate) fn boxed(self) -> BoxFuture {
        match self.place {
            Place::Once(future) => future,
            _ => Box::pin(self),
        }
    }
}

impl From<BoxFuture> for FutureSlot {
    fn from(future: BoxFuture) -> Self {
        Self {
            place: Place::Once(future),
            full: true,
        }
    }
}

impl Future for FutureSlot {
    type Output = Step;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Step> {
        let mut step = None;
        self.poll_into(cx, &mut step);
        step.map_or(Poll::Pending, Poll::Ready)
    }
}

impl std::fmt::Debug for FutureSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FutureSlot(empty: {})", self.is_empty())
    }
}
