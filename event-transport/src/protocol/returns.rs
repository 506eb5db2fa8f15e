//! What a protocol's listener may return.

use std::error::Error;

use crate::events::{AfterEof, EofReceived};

/// How a listener ended.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Turned {
    pub(crate) error: Option<Box<dyn Error + Send + Sync>>,
    pub(crate) after_eof: AfterEof,
}

/// What a listener of `E` may return.
#[diagnostic::on_unimplemented(
    message = "a protocol's listener of `{E}` cannot return `{Self}`",
    label = "not what a protocol's listener returns",
    note = "a listener of a protocol returns `()` or a `Result<(), E>` whose error converts into `Box<dyn Error + Send + Sync>`; one of `EofReceived` may return `AfterEof` in the place of `()`",
    note = "it emits an event with `emit(..)` or `Context::emit`"
)]
#[doc(hidden)]
pub trait Reaction<E> {
    fn turned(self) -> Turned;
}

#[diagnostic::do_not_recommend]
impl<E> Reaction<E> for () {
    #[inline]
    fn turned(self) -> Turned {
        Turned::default()
    }
}

#[diagnostic::do_not_recommend]
impl<E, X: Into<Box<dyn Error + Send + Sync>>> Reaction<E> for Result<(), X> {
    #[inline]
    fn turned(self) -> Turned {
        Turned {
            error: self.err().map(Into::into),
            after_eof: AfterEof::Close,
        }
    }
}

#[diagnostic::do_not_recommend]
impl Reaction<EofReceived> for AfterEof {
    fn turned(self) -> Turned {
        Turned {
            error: None,
            after_eof: self,
        }
    }
}

#[diagnostic::do_not_recommend]
impl<X: Into<Box<dyn Error + Send + Sync>>> Reaction<EofReceived> for Result<AfterEof, X> {
    fn turned(self) -> Turned {
        match self {
            Ok(after_eof) => after_eof.turned(),
            Err(error) => Turned {
                error: Some(error.into()),
                after_eof: AfterEof::Close,
            },
        }
    }
}
