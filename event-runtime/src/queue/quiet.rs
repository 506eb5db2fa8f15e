//! The end of users' values where a panic has nobody to go to.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Drops a value; a panic of its `Drop` ends here.
pub(crate) fn drop_quietly<T>(value: T) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        forget_panic(panic);
    }
}

/// Drops what a panic carried. That may panic as well, without end, so the second one is kept.
pub(crate) fn forget_panic(panic: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(second);
    }
}
