//! What generated code asks the compiler, with the words for the one who made the mistake.
//!
//! Each function is called in a `const` item whose tokens stand at the user's own, and is `#[track_caller]`, so that the error points
//! there and not into this file.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use crate::event::Event;
use crate::listener::hear::{Hear, Hears, hears};
use crate::listener::returns::Gives;
use crate::registration::Selector;
use crate::topic;

/// That a topic, a pattern or a type in the attribute can be that of the first parameter's event.
#[doc(hidden)]
#[track_caller]
pub const fn check_selector(hears: Hears, selector: &Selector) {
    check_on_buses(hears.topic, hears.on_buses);
    match selector {
        Selector::Type {
            topic,
            on_buses: false,
            ..
        } => check_on_buses(topic, false),
        Selector::Pattern(pattern) => check_pattern(hears, pattern),
        Selector::Type { topic: other, .. }
            if !hears.any && !topic::matches(other, hears.topic) =>
        {
            let mut text = Text::new();
            text.push("the attribute names the event `");
            text.push(other);
            text.push("`, but the first parameter is the event `");
            text.push(hears.topic);
            text.push("`: write one of them in both places");
            panic!("{}", text.as_str());
        }
        Selector::Type { .. } => {}
    }
}

/// That a pattern can match the event's topic.
#[doc(hidden)]
#[track_caller]
pub const fn check_pattern(hears: Hears, pattern: &str) {
    if !hears.any && !topic::matches(pattern, hears.topic) {
        let mut text = Text::new();
        text.push("listener pattern `");
        text.push(pattern);
        text.push("` can never match: the event's topic is `");
        text.push(hears.topic);
        text.push("`");
        panic!("{}", text.as_str());
    }
}

/// That a listener without topics, patterns and types is one of a certain event.
#[doc(hidden)]
#[track_caller]
pub const fn check_selected(hears: Hears) {
    check_on_buses(hears.topic, hears.on_buses);
    assert!(
        !hears.any,
        "a listener of `AnyEvent` says which events it hears: `#[listener(\"orders.*\")]`, or `\"**\"` for all"
    );
}

/// That a bus may carry the event: a listener of another one would never be called.
#[track_caller]
const fn check_on_buses(topic: &str, on_buses: bool) {
    if !on_buses {
        let mut text = Text::new();
        text.push("only the protocol of a connection hears `");
        text.push(topic);
        text.push("`: put the listener into an impl block with `#[protocol]`");
        panic!("{}", text.as_str());
    }
}

/// That whoever waits for an event of a bus, or subscribes to it there, is ever told of one.
#[doc(hidden)]
#[track_caller]
pub const fn check_carried<E: Event>() {
    check_on_buses(E::TOPIC, E::__ON_BUSES);
}

/// That a type is an event, and the listener therefore one of a certain event.
#[doc(hidden)]
#[track_caller]
pub const fn check_event<P: Hear>() {
    check_selected(hears::<P>());
}

/// That only a sync listener of a stoppable event stops the run.
#[doc(hidden)]
#[track_caller]
pub const fn check_return(hears: Hears, gives: Gives, asynchronous: bool) {
    if gives.stops {
        assert!(
            !asynchronous,
            "an async listener cannot return `ControlFlow`: the run has gone on before it ends"
        );
        assert!(
            !hears.any,
            "a listener of `AnyEvent` cannot return `ControlFlow`: not every event is `stoppable`"
        );
        if !hears.stoppable {
            let mut text = Text::new();
            text.push("only a listener of a stoppable event returns `ControlFlow`: declare `");
            text.push(hears.topic);
            text.push("` with `#[event(stoppable)]`");
            panic!("{}", text.as_str());
        }
    }
}

/// That a listener behind a queue does not stop the run.
#[doc(hidden)]
#[track_caller]
pub const fn check_queue_return(gives: Gives) {
    assert!(
        !gives.stops,
        "a listener behind a queue cannot return `ControlFlow`: the run has gone on before it is called"
    );
}

/// That a timed listener does not stop the run.
#[doc(hidden)]
#[track_caller]
pub const fn check_timed_return(gives: Gives) {
    assert!(
        !gives.stops,
        "a timed listener cannot return `ControlFlow`: no run waits for it"
    );
}

/// That a listener whose deliveries are tried again may say that one failed.
#[doc(hidden)]
#[track_caller]
pub const fn check_retry(gives: Gives) {
    assert!(
        gives.fails,
        "`retry` says nothing of a listener that returns no error: return a `Result`, or remove it"
    );
}

/// That the number of a key of the attribute is not zero.
#[doc(hidden)]
#[track_caller]
pub const fn check_number(key: &str, zero: bool) {
    if zero {
        let mut text = Text::new();
        text.push("`");
        text.push(key);
        text.push("` is zero: write at least 1");
        panic!("{}", text.as_str());
    }
}

/// That the time of a key of the attribute is not zero.
#[doc(hidden)]
#[track_caller]
pub const fn check_time(key: &str, time: Duration) {
    if time.is_zero() {
        let mut text = Text::new();
        text.push("`");
        text.push(key);
        text.push("` is zero: write a longer time, like `Duration::from_secs(5)`");
        panic!("{}", text.as_str());
    }
}

/// That the two times of a key of the attribute are in their order. A zero is reported by itself.
#[doc(hidden)]
#[track_caller]
pub const fn check_times(min: Duration, max: Duration) {
    assert!(
        max.is_zero() || min.as_nanos() <= max.as_nanos(),
        "the shortest time is longer than the longest: exchange them"
    );
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

/// What a queue keeps of an event.
#[diagnostic::on_unimplemented(
    message = "a listener behind a queue needs an event that is `Send + Sync`",
    label = "this event is not `Send + Sync`",
    note = "make the payload `Send + Sync`, or the listener a plain `fn` without `queue`"
)]
pub trait Queueable {}

#[diagnostic::do_not_recommend]
impl<T: Send> Queueable for T {}

/// What keeps deliveries in order.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key",
    label = "this is not `Hash`",
    note = "a key is something that is `Hash`: a number, a `String`, a tuple of these, or a type with `#[derive(Hash)]`"
)]
pub trait Key {
    #[doc(hidden)]
    fn hash_into<H: Hasher>(&self, hasher: &mut H);
}

#[diagnostic::do_not_recommend]
impl<T: ?Sized + Hash> Key for T {
    fn hash_into<H: Hasher>(&self, hasher: &mut H) {
        self.hash(hasher);
    }
}

/// Hashes what keeps deliveries in order.
#[doc(hidden)]
pub fn hash_key<K: ?Sized + Key, H: Hasher>(key: &K, hasher: &mut H) {
    key.hash_into(hasher);
}

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
