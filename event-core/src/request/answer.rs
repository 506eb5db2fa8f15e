//! What an answerer returns. As in `typed`, a mistake is reported in one place; elsewhere the fallbacks take everything.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::{Reply, Request};
use crate::listener::returns::{Effects, Step};

/// That an event is answered.
#[doc(hidden)]
pub const fn check_request<E: Request>() {}

/// What a listener with `reply` may return.
#[diagnostic::on_unimplemented(
    message = "the event is answered with `{R}`, not with `{Self}`",
    label = "not the event's reply",
    note = "return `{R}`, or a `Result` of it whose error converts into `Box<dyn Error + Send + Sync>`"
)]
#[doc(hidden)]
pub trait Answers<R>: Sized {
    /// # Errors
    ///
    /// The answerer's own.
    fn into_answer(self) -> Result<R, Box<dyn Error + Send + Sync>>;
}

#[diagnostic::do_not_recommend]
impl<R> Answers<R> for R {
    fn into_answer(self) -> Result<R, Box<dyn Error + Send + Sync>> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<R, X: Into<Box<dyn Error + Send + Sync>>> Answers<R> for Result<R, X> {
    fn into_answer(self) -> Result<R, Box<dyn Error + Send + Sync>> {
        self.map_err(Into::into)
    }
}

/// The event of an answerer.
#[doc(hidden)]
pub struct Asked<E: ?Sized>(PhantomData<fn(&E)>);

impl<E: ?Sized> Asked<E> {
    #[expect(clippy::new_without_default, reason = "only generated code makes one")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E: Request> Asked<E> {
    /// The request that is delivered here.
    pub fn take(&self) -> Option<Reply<E>> {
        Reply::take()
    }

    /// Refuses what is no answer.
    pub fn answered_with<A: Answers<E::Reply>>(&self) {}
}

/// For an event that has no reply.
#[doc(hidden)]
pub trait AskedFallback {
    fn take(&self) -> Option<()> {
        None
    }
    fn answered_with<A>(&self) {}
}

impl<E: ?Sized> AskedFallback for Asked<E> {}

/// What an answerer returned.
#[doc(hidden)]
pub struct Answer<E: ?Sized, A>(A, PhantomData<fn(&E)>);

impl<E: ?Sized, A> Answer<E, A> {
    pub const fn new(value: A) -> Self {
        Self(value, PhantomData)
    }
}

impl<E: Request, A: Answers<E::Reply>> Answer<E, A> {
    /// Gives it to who asked, if anybody did.
    pub fn step(self, reply: Option<Reply<E>>) -> Step {
        match (self.0.into_answer(), reply) {
            (Ok(answer), Some(reply)) => {
                reply.answer(answer);
                Step::Done
            }
            (Ok(_), None) => Step::Done,
            (Err(error), None) => failed(error),
            (Err(error), Some(reply)) => {
                let error = SharedError::from(error);
                reply.fail(error.clone());
                failed(Box::new(error))
            }
        }
    }
}

fn failed(error: Box<dyn Error + Send + Sync>) -> Step {
    Step::More(Box::new(Effects {
        error: Some(error),
        ..Effects::default()
    }))
}

/// For what is no answer.
#[doc(hidden)]
pub trait AnswerFallback: Sized {
    fn step<R>(self, _: R) -> Step {
        Step::Done
    }
}

impl<E: ?Sized, A> AnswerFallback for Answer<E, A> {}

macro_rules! opaque {
    ($($name:ident<$($generic:ident),*>)*) => {
        $(impl<E: ?Sized $(, $generic)*> fmt::Debug for $name<E $(, $generic)*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        })*
    };
}

opaque!(Asked<> Answer<A>);

/// An answerer's error, which goes to who asked and to the failure hook.
#[derive(Clone)]
pub(crate) struct SharedError(pub(crate) Arc<dyn Error + Send + Sync>);

impl From<Box<dyn Error + Send + Sync>> for SharedError {
    fn from(error: Box<dyn Error + Send + Sync>) -> Self {
        match error.downcast::<Self>() {
            Ok(shared) => *shared,
            Err(own) => Self(Arc::from(own)),
        }
    }
}

impl fmt::Debug for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for SharedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
