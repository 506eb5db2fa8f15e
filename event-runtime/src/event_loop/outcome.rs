//! What a callback may return.

use std::error::Error;

/// How a callback ended.
pub(super) type Ended = Result<(), Box<dyn Error + Send + Sync>>;

/// What a callback of an event loop may return: nothing, or a `Result` whose error is told to the loop's `on_failure` hook.
///
/// An error that is a [`Fatal`](super::Fatal) ends the run of the loop.
#[diagnostic::on_unimplemented(
    message = "a callback of an event loop returns nothing or a `Result<(), E>`, but this one returns `{Self}`",
    label = "its callback returns neither `()` nor a `Result<(), E>`",
    note = "if it is async, it is a task: `lp.spawn(async move {{ .. }})`, which a callback may do as well",
    note = "if nobody needs what it returns, end it with `;`"
)]
pub trait CallResult: sealed::Sealed {
    #[doc(hidden)]
    fn ended(self) -> Result<(), Box<dyn Error + Send + Sync>>;
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for () {}

    impl<E> Sealed for Result<(), E> {}
}

impl CallResult for () {
    fn ended(self) -> Ended {
        Ok(())
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> CallResult for Result<(), E> {
    fn ended(self) -> Ended {
        self.map_err(Into::into)
    }
}

/// What a task may return whose handle is [detached](super::JoinHandle::detach): nothing, or a `Result` whose error is told to the loop's `on_failure`
/// hook.
#[diagnostic::on_unimplemented(
    message = "a task that returns `{Self}` has no error that could be told when it is detached",
    label = "neither `()` nor a `Result`",
    note = "end its future with `drop(work.await);`, so that it returns nothing"
)]
pub trait TaskResult: sealed_result::Sealed + Sized {
    #[doc(hidden)]
    fn error(self) -> Option<Box<dyn Error + Send + Sync>>;
}

mod sealed_result {
    pub trait Sealed {}

    impl Sealed for () {}

    impl<T, E> Sealed for Result<T, E> {}
}

impl TaskResult for () {
    fn error(self) -> Option<Box<dyn Error + Send + Sync>> {
        None
    }
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> TaskResult for Result<T, E> {
    fn error(self) -> Option<Box<dyn Error + Send + Sync>> {
        self.err().map(Into::into)
    }
}
