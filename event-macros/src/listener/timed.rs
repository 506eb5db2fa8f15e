//! The rules of listeners that are a matter of time: `every`, `debounce`, `throttle`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use super::keys::Args;
use super::model::Listener;
use crate::errors::Errors;

/// The keys of which a listener has one.
pub(super) const KEYS: [&str; 3] = ["every", "debounce", "throttle"];

/// Refuses what means nothing, with one error at each word.
pub(super) fn check(args: &Args, asynchronous: bool, errors: &mut Errors) {
    let Some(timed) = args.delivery.timed() else {
        if let Some(word) = args.delivery.word("missed") {
            errors.at(
                word.span(),
                "`missed` is a matter of ticks: add `every = \"10s\"`, or remove it",
            );
        }
        return;
    };
    let ticks = timed == "every";
    if ticks {
        for selector in &args.selectors {
            errors.at(
                selector.span(),
                "a listener with `every` hears no event: remove this, or `every`",
            );
        }
        for word in &args.others {
            if let Some(message) = of_no_event(word) {
                errors.at(word.span(), message);
            }
        }
    }
    for word in args.delivery.words().iter().filter(|word| *word != timed) {
        if let Some(message) = refused(timed, word, asynchronous) {
            errors.at(word.span(), message);
        }
    }
}

/// What says something of the event, or of the order in which listeners hear it.
fn of_no_event(word: &Ident) -> Option<String> {
    let word = word.to_string();
    match word.as_str() {
        "when" => Some(
            "a tick has no event to judge: return early in the function, and remove `when`"
                .to_owned(),
        ),
        "early" | "late" | "before" | "after" => Some(format!(
            "a tick is for one listener, so there is no order: remove `{word}`"
        )),
        _ => None,
    }
}

/// Why a key is not with `timed`.
fn refused(timed: &Ident, word: &Ident, asynchronous: bool) -> Option<String> {
    let ticks = timed == "every";
    let word = word.to_string();
    Some(match word.as_str() {
        "timeout" if asynchronous => return None,
        "timeout" => {
            "a plain function cannot be ended from outside: write `async fn`, or remove `timeout`"
                .to_owned()
        }
        "missed" if ticks => return None,
        "missed" => format!("`missed` is a matter of `every`, not of `{timed}`: remove it"),
        "key" if !ticks => return None,
        "key" => "a tick has no event, and so no key: remove `key`".to_owned(),
        "every" | "debounce" | "throttle" => {
            format!("`{word}` contradicts `{timed}`: remove one")
        }
        "retry" | "backoff" | "retry_if" if ticks => format!(
            "after a tick that failed comes the next one: remove `{word}`, or try again in the function"
        ),
        "limit" | "overlap" | "workers" if ticks => {
            format!("a tick never runs beside another of its listener: remove `{word}`")
        }
        word if ticks => {
            format!("ticks do not wait in a queue: remove `{word}`, or `every`")
        }
        "limit" | "overlap" | "workers" => {
            format!("`{timed}` makes one delivery after another: remove `{word}`")
        }
        word => format!(
            "`{timed}` keeps the latest event and nothing else: remove `{word}`, or write `queue = 1024` instead of `{timed}`"
        ),
    })
}

/// `.ticking(P::Tick::share)`, `.debounced()`, `.throttled()`
pub(super) fn call(listener: &Listener) -> TokenStream {
    let p = listener.krate.private();
    match listener.args.delivery.timed() {
        None => TokenStream::new(),
        Some(word) if word == "every" => quote!(.ticking(#p::Tick::share)),
        Some(word) if word == "debounce" => quote!(.debounced()),
        Some(_) => quote!(.throttled()),
    }
}
