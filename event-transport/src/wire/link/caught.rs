//! Code of the program that a link runs may panic, and the link goes on.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use event_core::private::panic_message;

use super::error::LinkError;

/// Writes or reads a payload, with the code of its type.
///
/// # Errors
///
/// What it says, or that it panicked.
pub(super) fn coded<T, E: ToString>(
    doing: &str,
    code: impl FnOnce() -> Result<T, E>,
) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(coded) => coded.map_err(|error| error.to_string()),
        Err(panic) => Err(panicked(doing, panic)),
    }
}

pub(super) fn panicked(doing: &str, panic: Box<dyn Any + Send>) -> String {
    format!("{doing} it panicked: {}", panic_message(panic))
}

/// A connection, which is lost when something of it panics.
pub(super) async fn caught<T>(
    connection: impl Future<Output = Result<T, LinkError>>,
) -> Result<T, LinkError> {
    let mut connection = pin!(connection);
    poll_fn(|cx| {
        let poll = || connection.as_mut().poll(cx);
        catch_unwind(AssertUnwindSafe(poll))
            .unwrap_or_else(|panic| Poll::Ready(Err(LinkError::Panicked(panic_message(panic)))))
    })
    .await
}
