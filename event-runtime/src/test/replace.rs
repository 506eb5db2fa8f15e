//! Closures in the place of listeners.

use std::any::Any;

use event_core::private::{Answers, Attempt, Hear, Installer, On, Returns, Step, Tick};
use event_core::{AnyEvent, Event, Mode, Request};

use crate::listen::Queued;

/// What is run instead of a listener.
pub(super) struct Replacement {
    pub(super) run: Run,
}

type Run = Box<dyn Fn(&Attempt, &dyn Any) -> Option<Step> + Send + Sync>;

impl Replacement {
    pub(super) fn of<E: Event, R: Returns>(f: impl Fn(&E) -> R + Send + Sync + 'static) -> Self {
        Self {
            run: Box::new(move |_, payload| {
                payload.downcast_ref().map(|event| f(event).into_step())
            }),
        }
    }

    pub(super) fn reply<E: Request, A: Answers<E::Reply>>(
        f: impl Fn(&E) -> A + Send + Sync + 'static,
    ) -> Self {
        Self {
            run: Box::new(move |attempt, payload| {
                payload
                    .downcast_ref()
                    .map(|event| attempt.answer::<E>(f(event)))
            }),
        }
    }

    pub(super) fn of_any<R: Returns>(
        f: impl Fn(&AnyEvent<'_>) -> R + Send + Sync + 'static,
    ) -> Self {
        Self {
            run: Box::new(move |attempt, payload| {
                attempt.with_event(payload, |event| Some(f(event).into_step()))
            }),
        }
    }
}

/// Installs a listener that is never run, since something is done instead at every call.
pub(super) fn stand_in(installer: &mut Installer<'_>, mode: Mode, asynchronous: bool) {
    match mode {
        Mode::Queue | Mode::Every | Mode::Debounce | Mode::Throttle => {
            let queue = Queued::<AnyEvent<'static>>::new(asynchronous);
            let queue = match mode {
                Mode::Every => queue.ticking(Tick::share_any),
                Mode::Debounce => queue.debounced(),
                Mode::Throttle => queue.throttled(),
                _ => queue,
            };
            if asynchronous {
                queue.install(installer, |_, _| Some(async { Step::Done }));
            } else {
                queue.install_now(installer, |_, _| Step::Done);
            }
        }
        Mode::Async => {
            On::<AnyEvent<'static>>::new().future(installer, |_, _| Some(async { Step::Done }));
        }
        _ => <AnyEvent<'static> as Hear>::install_bound(installer, Box::new(|_, _| Step::Done)),
    }
}
