//! A library of events and listeners that the test binaries name.
//!
//! A doc test is a program of its own, so it registers what it declares, beside what this library brings:
//!
//! ```standalone_crate
//! use tidings::{Bus, listener};
//!
//! #[listener]
//! fn also(_: &linked::Arrived) {}
//!
//! let bus = Bus::builder().build()?;
//! assert_eq!(bus.emit(linked::Arrived).report().ran(), 3);
//! # Ok::<(), tidings::BuildError>(())
//! ```

use tidings::{event, listener};

/// Something arrived.
#[event("linked.arrived")]
#[derive(Debug)]
pub struct Arrived;

/// Hears what arrived.
#[listener]
pub fn note(_: &Arrived) {}

/// Listeners of a nested module.
pub mod nested {
    use tidings::listener;

    use crate::Arrived;

    /// Hears what arrived, with a fixed id.
    #[listener(id = "linked.nested")]
    pub fn note(_: &Arrived) {}
}

#[cfg(test)]
mod tests {
    use tidings::{Bus, event, listener};

    use super::{Arrived, nested, note};

    #[event("linked.tested")]
    struct Tested;

    #[listener]
    fn only_in_unit_tests(_: &Tested) {}

    #[test]
    fn s6_a_unit_test_has_the_librarys_listeners_and_its_own() {
        let bus = Bus::builder().build().unwrap();

        assert_eq!(bus.emit(Arrived).report().ran(), 2);
        assert_eq!(bus.emit(Tested).report().ran(), 1);
    }

    #[test]
    fn s6_each_unit_test_builds_its_own_bus() {
        let bus = Bus::builder()
            .without((note, only_in_unit_tests))
            .build()
            .unwrap();

        assert_eq!(bus.emit(Arrived).report().ran(), 1);
        assert!(!bus.emit(Tested).report().heard());

        let bus = Bus::builder().only((note, nested::note)).build().unwrap();
        assert_eq!(bus.emit(Arrived).report().ran(), 2);
    }
}
