//! What generated code asks the compiler, with the words for the one who made the mistake.
//!
//! Each function is called in a `const` item whose tokens stand at the user's own, and is `#[track_caller]`, so that the error points
//! there and not into this file.

use crate::hear::Hear;
use crate::returns::Returns;
use crate::topic;

/// That a pattern can match the event's topic.
///
/// # Panics
///
/// While the program is compiled, if that does not hold.
#[track_caller]
pub const fn check_pattern<P: Hear>(pattern: &str) {
    if !P::ANY && !topic::matches(pattern, P::TOPIC) {
        let mut text = Text::new();
        text.push("listener pattern `");
        text.push(pattern);
        text.push("` can never match: the event's topic is `");
        text.push(P::TOPIC);
        text.push("`");
        panic!("{}", text.as_str());
    }
}

/// That a type in the attribute is the type of the first parameter, unless that is any event.
///
/// # Panics
///
/// While the program is compiled, if that does not hold.
#[track_caller]
pub const fn check_type<P: Hear, E: crate::Event>() {
    if !P::ANY && !topic::matches(E::TOPIC, P::TOPIC) {
        let mut text = Text::new();
        text.push("the attribute names the event `");
        text.push(E::TOPIC);
        text.push("`, but the first parameter is the event `");
        text.push(P::TOPIC);
        text.push("`");
        panic!("{}", text.as_str());
    }
}

/// That a listener of any event says which.
///
/// # Panics
///
/// While the program is compiled, if that does not hold.
#[track_caller]
pub const fn check_selectors<P: Hear>(selectors: usize) {
    assert!(
        !P::ANY || selectors > 0,
        "a listener of `AnyEvent` says which events it hears: `#[listener(\"orders.*\")]`, or `\"**\"` for all"
    );
}

/// That only a sync listener of a stoppable event stops the run.
///
/// # Panics
///
/// While the program is compiled, if that does not hold.
#[track_caller]
pub const fn check_return<P: Hear, R: Returns, const ASYNC: bool>() {
    if R::STOPS {
        assert!(
            !ASYNC,
            "an async listener cannot return `ControlFlow`: the run has gone on before it ends"
        );
        assert!(
            !P::ANY,
            "a listener of `AnyEvent` cannot return `ControlFlow`: not every event is `stoppable`"
        );
        if !P::STOPPABLE {
            let mut text = Text::new();
            text.push("only a listener of a stoppable event returns `ControlFlow`: declare `");
            text.push(P::TOPIC);
            text.push("` with `#[event(stoppable)]`");
            panic!("{}", text.as_str());
        }
    }
}

/// That the first parameter refers to an event.
pub const fn assert_hears<P: Hear>() {}

/// That the first parameter of an async listener refers to an event that threads may share.
pub const fn assert_hears_async<P: Hear>()
where
    P::Share: Shareable,
{
}

/// What an async delivery keeps of its event.
#[diagnostic::on_unimplemented(
    message = "an async listener needs an event that is `Send + Sync`",
    label = "this event is not `Send + Sync`",
    note = "make the payload `Send + Sync`, or the listener a plain `fn`"
)]
pub trait Shareable {}

#[diagnostic::do_not_recommend]
impl<T: Send> Shareable for T {}

/// A text that is put together while the program is compiled.
struct Text {
    bytes: [u8; 1024],
    len: usize,
}

impl Text {
    const fn new() -> Self {
        Self {
            bytes: [0; 1024],
            len: 0,
        }
    }

    /// Appends; the topics and patterns that come here have at most 255 bytes each.
    const fn push(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            self.bytes[self.len] = bytes[i];
            self.len += 1;
            i += 1;
        }
    }

    const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}
