//! The parameters of a listener after the event.

use std::sync::Arc;

use crate::build::state::StateMap;
use crate::dispatch::context::{Context, Site};
use crate::listener::StateNeed;

/// A type that a listener may ask for after the event.
#[doc(hidden)]
pub trait Param {
    /// What is kept of the parameter when a bus is built.
    type Bound: Clone + Send + Sync + 'static;
    /// What the listener is called with.
    type Item<'a>;

    fn ask(parameter: &'static str) -> Option<StateNeed>;
    fn given(state: &StateMap) -> bool;
    fn bind(state: &StateMap) -> Option<Self::Bound>;
    fn get<'a, S: Site>(bound: &'a Self::Bound, site: &'a S) -> Self::Item<'a>;
}

/// Says of a [`Param`] that a listener may ask for it. A bound on the parameter itself would make the compiler propose a reference to it
/// instead of saying what is allowed.
#[diagnostic::on_unimplemented(
    message = "a listener cannot ask for `{P}`",
    label = "not a listener parameter",
    note = "after the event a listener takes `&T` (state), `Option<&T>` (optional state) or `Context<'_>`, where `T` is `Send + Sync`"
)]
#[doc(hidden)]
pub trait Takes<P> {
    const ASK: fn(&'static str) -> Option<StateNeed>;
    const GIVEN: fn(&StateMap) -> bool;
}

/// Stands for every listener in the errors about [`Takes`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Listener;

#[diagnostic::do_not_recommend]
impl<P: Param> Takes<P> for Listener {
    const ASK: fn(&'static str) -> Option<StateNeed> = P::ask;
    const GIVEN: fn(&StateMap) -> bool = P::given;
}

#[diagnostic::do_not_recommend]
impl<T: ?Sized + Send + Sync + 'static> Param for &T {
    type Bound = Arc<T>;
    type Item<'a> = &'a T;

    fn ask(parameter: &'static str) -> Option<StateNeed> {
        Some(StateNeed {
            parameter,
            type_name: std::any::type_name::<T>(),
            optional: false,
        })
    }

    fn given(state: &StateMap) -> bool {
        state.has::<T>()
    }

    fn bind(state: &StateMap) -> Option<Arc<T>> {
        state.get::<T>()
    }

    #[inline]
    fn get<'a, S: Site>(bound: &'a Arc<T>, _: &'a S) -> &'a T {
        bound
    }
}

#[diagnostic::do_not_recommend]
impl<T: ?Sized + Send + Sync + 'static> Param for Option<&T> {
    type Bound = Option<Arc<T>>;
    type Item<'a> = Option<&'a T>;

    fn ask(parameter: &'static str) -> Option<StateNeed> {
        Some(StateNeed {
            parameter,
            type_name: std::any::type_name::<T>(),
            optional: true,
        })
    }

    fn given(_: &StateMap) -> bool {
        true
    }

    fn bind(state: &StateMap) -> Option<Option<Arc<T>>> {
        Some(state.get::<T>())
    }

    #[inline]
    fn get<'a, S: Site>(bound: &'a Option<Arc<T>>, _: &'a S) -> Option<&'a T> {
        bound.as_deref()
    }
}

#[diagnostic::do_not_recommend]
impl Param for Context<'_> {
    type Bound = ();
    type Item<'a> = Context<'a>;

    fn ask(_: &'static str) -> Option<StateNeed> {
        None
    }

    fn given(_: &StateMap) -> bool {
        true
    }

    fn bind(_: &StateMap) -> Option<()> {
        Some(())
    }

    fn get<'a, S: Site>((): &'a (), site: &'a S) -> Context<'a> {
        site.context()
    }
}
