//! Every form of `#[event]`.

use serde::{Deserialize, Serialize};
use tidings::event;

/// A named struct with everything.
#[event("lints.placed", version = 2, serde, stoppable, unheard = "warn", crate = ::tidings)]
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Placed {
    /// The sum.
    pub total: u32,
    /// Only on some systems.
    #[cfg(any(unix, windows))]
    pub system: String,
}

/// A tuple struct.
#[event]
#[derive(Debug)]
pub struct Paid(pub u32);

/// A unit struct.
#[event]
#[derive(Debug)]
pub struct Closed;

/// An enum.
#[event(unheard = "ignore")]
#[derive(Debug)]
pub enum Moved {
    /// By this much.
    By(i64),
    /// To a place.
    To {
        /// From the left.
        x: i64,
    },
    /// Nowhere.
    Nowhere,
}

/// A generic event.
#[event("lints.page")]
#[derive(Debug)]
pub struct Page<T: Send + Clone, const N: usize> {
    /// What is on it.
    pub items: [T; N],
}

/// An event that threads cannot share.
#[event]
#[derive(Debug)]
pub struct Drawn {
    /// Where to.
    pub canvas: std::rc::Rc<u32>,
}

/// An event that is about to go.
#[event]
#[derive(Debug)]
#[deprecated = "use `Placed`"]
pub struct Ordered;

#[event]
#[derive(Debug)]
pub(crate) struct Hidden;

/// An event that is answered.
#[event(reply = Result<Vec<u8>, String>)]
#[derive(Debug)]
pub struct GetPage(pub u8);

/// Answered with nothing.
#[event(reply = (), unanswered = "error")]
#[derive(Debug)]
pub struct Confirm;
