//! An error says its own words, and leaves those of its source to who prints that.
#![cfg(all(feature = "runtime", feature = "json"))]

use std::error::Error;

use tidings::event_loop::{EventLoop, Fatal, LoopError};
use tidings::{Bus, event, listener};

#[event(reply = u64)]
struct Parse(&'static str);

#[listener(reply)]
fn parse(e: &Parse) -> Result<u64, std::num::ParseIntError> {
    e.0.parse()
}

#[event(serde)]
#[derive(serde::Serialize, serde::Deserialize)]
struct Paid {
    cents: u64,
}

/// The whole chain as most programs print it, in which nothing may be said twice.
fn chain(error: &dyn Error) -> Vec<String> {
    let sources = std::iter::successors(Some(error), |error: &&dyn Error| (*error).source());
    let words: Vec<String> = sources.map(ToString::to_string).collect();
    for (at, word) in words.iter().enumerate() {
        let twice = words[..at].iter().any(|before| before.contains(word));
        assert!(!twice, "said twice: {words:?}");
    }
    words
}

#[test]
fn a_request_leaves_the_words_of_the_answerers_error_to_it() {
    let bus = Bus::builder().on_failure(|_| ()).build().unwrap();
    let error = bus.request(Parse("x")).now().unwrap_err();
    assert_eq!(
        chain(&error),
        [
            "`parse` was answered with an error",
            "invalid digit found in string"
        ]
    );
}

#[test]
fn a_payload_that_does_not_fit_says_why_once() {
    let bus = Bus::empty();
    let error = bus.emit_json("paid", "{}").unwrap_err();
    let words = chain(&error);
    assert_eq!(words.len(), 1);
    assert!(words[0].contains("missing field `cents`"), "{words:?}");
    assert!(error.json_error().is_some_and(|error| error.line() == 1));
}

#[test]
fn fatal_errors_rejected_promises_and_failed_scopes_say_the_words_of_their_error_once() {
    let io = || std::io::Error::other("the disk is gone");
    let lp = EventLoop::virtual_time();
    lp.call_soon(move |_| Err::<(), _>(Fatal::new(io())))
        .unwrap();
    let fatal = lp.run_until_idle().unwrap_err();
    assert_eq!(chain(&fatal), ["the disk is gone"]);
    let LoopError::Fatal(fatal) = fatal else {
        panic!("it is fatal: {fatal}");
    };
    assert!(fatal.error().is::<std::io::Error>());

    let (promise, answer) = lp.promise::<u32>();
    promise.reject(io());
    let rejected = lp.run_until_complete(answer).unwrap().unwrap_err();
    assert_eq!(chain(&rejected), ["the disk is gone"]);

    let scope = lp.scope(async |scope| drop(scope.try_spawn(async move { Err::<(), _>(io()) })));
    let failed = lp.run_until_complete(scope).unwrap().unwrap_err();
    assert_eq!(chain(&failed), ["the disk is gone"]);
    assert!(failed.errors()[0].is::<std::io::Error>());
}
