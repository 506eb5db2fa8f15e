//! Which listeners a bus has: by function, by id, by crate.

use crate::build::error::{Code, Problem, nearest, suggestion};
use crate::listener::FnKey;
use crate::registry::Registry;

/// One listener function or a tuple of them, for [`only`](crate::BusBuilder::only) and [`without`](crate::BusBuilder::without).
///
/// Functions are named as they are, sync or async, of any crate; tuples have up to 16 parts and may be nested.
///
/// ```standalone_crate
/// use tidings::{Bus, event, listener};
///
/// #[event]
/// struct Placed;
///
/// #[listener]
/// fn charge(_: &Placed) {}
///
/// #[listener]
/// async fn confirm(_: &Placed) {}
///
/// let bus = Bus::builder().without((charge, confirm)).build()?;
/// assert!(!bus.emit(Placed).report().heard());
/// # Ok::<(), tidings::BuildError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a listener function or a tuple of them",
    note = "write the function's name without parentheses, or up to 16 of them in a tuple"
)]
pub trait ListenerSet<M> {
    #[doc(hidden)]
    fn keys(&self, keys: &mut Vec<FnKey>);
}

macro_rules! functions {
    ($($arg:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<Func, Ret, $($arg),*> ListenerSet<fn($($arg),*) -> Ret> for Func
        where
            Func: Fn($($arg),*) -> Ret + Copy + 'static,
        {
            fn keys(&self, keys: &mut Vec<FnKey>) {
                keys.push(FnKey::of(self));
            }
        }
    };
}

macro_rules! each_arity {
    ($each:ident: $($arg:ident)*) => { each_arity!(@ $each [] $($arg)*); };
    (@ $each:ident [$($done:ident)*]) => {};
    (@ $each:ident [$($done:ident)*] $next:ident $($rest:ident)*) => {
        $each!($($done)* $next);
        each_arity!(@ $each [$($done)* $next] $($rest)*);
    };
}

// One that ticks may want nothing.
functions!();
each_arity!(functions: A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12);

macro_rules! tuples {
    ($($name:ident)*) => { pair_up!([] [$($name)*] [M1 M2 M3 M4 M5 M6 M7 M8 M9 M10 M11 M12 M13 M14 M15 M16]); };
}

/// Gives every part of a tuple its marker.
macro_rules! pair_up {
    ([$($done:tt)*] [] [$($unused:ident)*]) => { tuple_set!($($done)*); };
    ([$($done:tt)*] [$part:ident $($parts:ident)*] [$marker:ident $($markers:ident)*]) => {
        pair_up!([$($done)* ($part $marker)] [$($parts)*] [$($markers)*]);
    };
}

macro_rules! tuple_set {
    ($(($part:ident $marker:ident))*) => {
        #[diagnostic::do_not_recommend]
        impl<$($part, $marker),*> ListenerSet<($($marker,)*)> for ($($part,)*)
        where
            $($part: ListenerSet<$marker>),*
        {
            #[allow(non_snake_case)]
            fn keys(&self, keys: &mut Vec<FnKey>) {
                let ($($part,)*) = self;
                $($part.keys(keys);)*
            }
        }
    };
}

each_arity!(tuples: P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 P12 P13 P14 P15 P16);

/// What the builder was told about listeners.
#[derive(Default)]
pub(crate) struct Selection {
    pub(crate) none: bool,
    pub(crate) only: Option<Chosen>,
    pub(crate) without: Chosen,
    pub(crate) crates: Option<Vec<String>>,
}

#[derive(Default)]
pub(crate) struct Chosen {
    pub(crate) keys: Vec<FnKey>,
    pub(crate) ids: Vec<String>,
}

impl Selection {
    /// For every linked listener, in the total order, whether the bus has it.
    pub(crate) fn apply(&self, registry: &Registry, problems: &mut Vec<Problem>) -> Vec<bool> {
        let mut chosen = vec![!self.none && self.only.is_none(); registry.listeners.len()];
        if let Some(only) = &self.only {
            only.resolve(registry, problems)
                .into_iter()
                .for_each(|index| chosen[index] = true);
        }
        if let Some(crates) = &self.crates {
            check_crates(crates, registry, problems);
            for (index, listener) in registry.registrations().enumerate() {
                chosen[index] &= crates.iter().any(|name| name == listener.crate_name());
            }
        }
        self.without
            .resolve(registry, problems)
            .into_iter()
            .for_each(|index| chosen[index] = false);
        chosen
    }
}

impl Chosen {
    fn resolve(&self, registry: &Registry, problems: &mut Vec<Problem>) -> Vec<usize> {
        let mut found = Vec::new();
        for key in &self.keys {
            match registry.by_key(key.id()) {
                Some(index) => found.push(index),
                None => problems.push(Problem::new(
                    Code::NotAListener,
                    format!(
                        "`{}` is chosen for the bus, but it is not a listener",
                        key.name()
                    ),
                    None,
                    "put `#[listener]` on that function, or leave it out of `only`/`without`",
                )),
            }
        }
        for id in &self.ids {
            match registry.by_id(id) {
                Some(index) => found.push(index),
                None => problems.push(Problem::new(
                    Code::UnknownId,
                    format!("no linked listener has the id `{id}`{}", suggestion(&nearest(id, registry.registrations().map(|l| l.id)))),
                    None,
                    "an id is `crate::module::function` unless its attribute says `id = \"..\"`; if its crate is not linked, name it in `tidings::link!(..)`",
                )),
            }
        }
        found
    }
}

fn check_crates(crates: &[String], registry: &Registry, problems: &mut Vec<Problem>) {
    for name in crates {
        if !registry
            .registrations()
            .any(|listener| listener.crate_name() == name)
        {
            let known = registry
                .registrations()
                .map(|listener| listener.crate_name());
            problems.push(Problem::new(
                Code::UnknownCrate,
                format!("no listener of the crate `{name}` is linked{}", suggestion(&nearest(name, known))),
                None,
                format!("a dependency that no code names is not linked: write `tidings::link!({name});` in the binary"),
            ));
        }
    }
}
