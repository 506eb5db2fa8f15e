//! What a callback may return.

use std::error::Error;

/// How a callback ended.
pub(super) type Ended = Result<(), Box<dyn Error + Send + Sync>>;

/// What a callback of an event loop may return: nothing, or a `Result` whose error is told to the loop's `on_failure` hook.
///
/// An error that is a [`Fatal`](super::Fatal) ends the run of the loop.
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
