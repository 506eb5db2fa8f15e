//! What generated code names. Not public: it changes with any release, which is why the packages are pinned to each other.

pub use std::sync::Arc;

pub use crate::bus::Inner;
pub use crate::check::{
    assert_hears, assert_hears_async, check_pattern, check_return, check_selectors, check_type,
};
pub use crate::context::{Delivery, Handed, Site};
pub use crate::dispatch::Queue;
pub use crate::event::{
    EventInfo, EventOps, Field, Probe, ShareFallback, Shared, Sharing, Slot, Unheard,
};
pub use crate::hear::{AsyncFn, BoundFn, Hear, Heard, HeldAny, SharedAny};
pub use crate::installer::{BoxFuture, Installer, condition};
#[cfg(feature = "json")]
pub use crate::json::Codec;
pub use crate::listener::{FnKey, Need, Relation, Target};
pub use crate::methods::Method;
pub use crate::param::Param;
pub use crate::registration::{EventRegistration, LinkRequest, Registration, Selector, submit};
pub use crate::returns::{Effects, Returned, Returns, Step, step};
pub use crate::stack::{Entry, Frame, check};
pub use crate::state::StateMap;

#[doc(inline)]
pub use crate::__json_codec as json_codec;
