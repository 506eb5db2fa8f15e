//! The state that a bus was given, by type.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::panic::Location;
use std::sync::Arc;

use crate::build::error::{Code, Problem};

/// State by type. A value of type `V` is kept as `Arc<V>`; it is found as `V`, and as `T` if `V` is an `Arc<T>`.
#[derive(Default)]
#[doc(hidden)]
pub struct StateMap {
    values: HashMap<TypeId, Value>,
    doubled: Vec<Problem>,
}

struct Value {
    arc: Box<dyn Any + Send + Sync>,
    as_arc: TypeId,
    name: &'static str,
    given: &'static Location<'static>,
}

impl StateMap {
    pub(crate) fn insert<V: Send + Sync + 'static>(
        &mut self,
        value: V,
        given: &'static Location<'static>,
    ) {
        // `V` beside `Arc<V>`, in either order, would both answer for `&V`.
        let id = TypeId::of::<V>();
        let as_arc = TypeId::of::<Arc<V>>();
        let earlier = self.values.get(&id).or_else(|| self.values.get(&as_arc));
        let earlier = earlier.or_else(|| self.values.values().find(|v| v.as_arc == id));
        if let Some(earlier) = earlier {
            self.doubled.push(Problem::new(
                Code::DuplicateState,
                format!(
                    "state `{}` is given twice: as `{}` at {} and as `{}` at {given}",
                    type_name::<V>(),
                    earlier.name,
                    earlier.given,
                    type_name::<V>()
                ),
                Some(given),
                "give one of them, or wrap the second value in a type of its own",
            ));
            return;
        }
        let value = Value {
            arc: Box::new(Arc::new(value)),
            as_arc,
            name: type_name::<V>(),
            given,
        };
        self.values.insert(id, value);
    }

    /// Gives the value in the place of what answers for the same parameters.
    pub(crate) fn replace<V: Send + Sync + 'static>(
        &mut self,
        value: V,
        given: &'static Location<'static>,
    ) {
        let id = TypeId::of::<V>();
        let as_arc = TypeId::of::<Arc<V>>();
        self.values
            .retain(|key, other| *key != id && *key != as_arc && other.as_arc != id);
        self.insert(value, given);
    }

    pub(crate) fn has<T: ?Sized + Send + Sync + 'static>(&self) -> bool {
        self.values.contains_key(&TypeId::of::<T>())
            || self.values.contains_key(&TypeId::of::<Arc<T>>())
    }

    pub(crate) fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let direct = self
            .values
            .get(&TypeId::of::<T>())
            .and_then(|v| v.arc.downcast_ref::<Arc<T>>().cloned());
        direct.or_else(|| {
            let shared = self.values.get(&TypeId::of::<Arc<T>>())?;
            shared
                .arc
                .downcast_ref::<Arc<Arc<T>>>()
                .map(|arc| Arc::<T>::clone(arc))
        })
    }

    /// The types given so far, in the order of their names.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.values.values().map(|v| v.name).collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn take_problems(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.doubled)
    }
}

impl std::fmt::Debug for StateMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}
