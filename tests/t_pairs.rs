//! T2 and T3: two hundred pairs of a topic and a pattern. Those that match are checked while this file is compiled, those that do not
//! are refused by the same function while it runs.

use std::panic::catch_unwind;

use tidings::__private::{check_pattern, hears};
use tidings::Event;

/// Declares an event for each topic, checks its matches in constants, and keeps all pairs for the tests below.
macro_rules! pairs {
    ($($event:ident $topic:literal matches [$($yes:literal)*] misses [$($no:literal)*])*) => {
        $(
            #[tidings::event($topic)]
            struct $event;
            $(const _: () = check_pattern(hears::<$event>(), $yes);)*
        )*

        const PAIRS: &[(&str, fn(&str), &[&str], &[&str])] =
            &[$(($event::TOPIC, |pattern| check_pattern(hears::<$event>(), pattern), &[$($yes),*], &[$($no),*])),*];
    };
}

#[rustfmt::skip]
pairs! {
    T1 "a"
        matches ["a" "*" "**"]
        misses ["b" "a.b" "a.*" "a.**" "*.a" "*.**" "A"]
    T2 "orders"
        matches ["orders" "*" "**"]
        misses ["order" "orders_" "orders.*" "orders.**" "*.orders" "Orders" "ordersx"]
    T3 "orders.placed"
        matches ["orders.placed" "orders.*" "*.placed" "*.*" "orders.**" "**"]
        misses ["orders" "*" "orders.placed.*" "*.*.*"]
    T4 "orders.shipped"
        matches ["orders.*" "*.shipped" "**"]
        misses ["orders.placed" "orders.ship" "orders.shipped.**" "billing.*" "*.placed" "orders.*.*" "shipped"]
    T5 "orders.eu.placed"
        matches ["orders.eu.placed" "orders.*.placed" "orders.**" "*.eu.*" "*.*.*" "**" "orders.eu.**"]
        misses ["orders.*" "orders.eu" "*.placed"]
    T6 "orders.eu.de.placed"
        matches ["orders.*.*.placed" "orders.eu.*.placed" "*.**" "orders.eu.**"]
        misses ["orders.*.placed" "orders.eu.*" "*.*.*" "*.*.*.*.*" "orders.eu.de.placed.**" "orders.us.**"]
    T7 "a.b"
        matches ["a.b" "a.*" "*.b" "*.*" "a.**" "*.**" "**"]
        misses ["b.a" "a" "*"]
    T8 "a.a"
        matches ["a.a" "*.a" "a.*"]
        misses ["a" "a.a.a" "aa" "*.aa" "a.b" "*.b" "a.*.a"]
    T9 "a.b.c"
        matches ["a.b.c" "*.b.c" "a.*.c" "a.b.*" "*.*.*" "a.b.**"]
        misses ["a.c.b" "a.*" "*.c" "a.*.b"]
    T10 "a.b.c.d.e.f.g.h"
        matches ["a.**" "*.*.*.*.*.*.*.*" "a.b.c.d.*.f.g.h" "**"]
        misses ["a.b.c.d.e.f.g" "a.b.c.d.e.f.g.h.*" "*.*.*.*.*.*.*" "a.b.c.d.x.f.g.h" "h.**" "a.b.c.d.e.f.g.h.**"]
    T11 "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16"
        matches ["1.**" "*.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16" "*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*" "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.**"]
        misses ["1.2.3.4.5.6.7.8.9.10.11.12.13.14.15" "*.*.*.*.*.*.*.*.*.*.*.*.*.*.*" "2.**" "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.1" "1.2.3.4.5.6.7.8.9.10.11.12.13.14.16.15" "1"]
    T12 "user-name"
        matches ["user-name" "*" "**"]
        misses ["user_name" "user" "name" "user.name" "user-name.*" "user-names" "-"]
    T13 "user_name"
        matches ["user_name" "*"]
        misses ["user-name" "user_nam" "user_name_" "_user_name" "user_name.**" "*.user_name" "USER_NAME" "name"]
    T14 "Orders.Placed"
        matches ["Orders.Placed" "Orders.*" "*.Placed" "*.*"]
        misses ["orders.placed" "Orders.placed" "orders.Placed" "orders.*" "*.placed" "Orders"]
    T15 "-.-"
        matches ["-.-" "-.*" "*.-" "*.*" "-.**"]
        misses ["_._" "-" "--" "-.-.-" "*"]
    T16 "__.0"
        matches ["__.0" "__.*" "*.0" "__.**"]
        misses ["_.0" "__" "0.__" "__.00" "*.00" "__.0.*"]
    T17 "0.1.2"
        matches ["0.1.2" "0.*.2" "0.**" "*.1.2" "*.1.**"]
        misses ["0.1" "1.2" "0.2.1" "0.1.2.3" "0.1.02"]
    T18 "ab.c"
        matches ["ab.c" "*.c" "ab.*" "ab.**"]
        misses ["a.bc" "a.b.c" "abc" "a.*" "*.bc" "ab"]
    T19 "a.bc"
        matches ["a.bc" "a.*" "*.bc"]
        misses ["ab.c" "a.b" "a.b.c" "a.bcd" "abc" "*.c" "a.c"]
    T20 "x.y.z"
        matches ["x.**" "x.y.**" "*.**" "*.y.**" "**"]
        misses ["y.**" "x.z.**" "x.y.z.**" "*.z.**" "*.x.**"]
}

/// The rule said another way: segment by segment, from the front.
fn reference(pattern: &[&str], topic: &[&str]) -> bool {
    match (pattern, topic) {
        ([], []) | (["**"], [_, ..]) => true,
        ([first, pattern @ ..], [segment, topic @ ..]) => {
            (*first == "*" || first == segment) && reference(pattern, topic)
        }
        _ => false,
    }
}

fn agrees(pattern: &str, topic: &str) -> bool {
    let (pattern, topic): (Vec<_>, Vec<_>) =
        (pattern.split('.').collect(), topic.split('.').collect());
    reference(&pattern, &topic)
}

#[test]
fn t2_two_hundred_pairs_match_as_a_simple_matcher_says() {
    let mut count = 0;
    for (topic, _, matches, misses) in PAIRS {
        matches
            .iter()
            .for_each(|pattern| assert!(agrees(pattern, topic), "{pattern} {topic}"));
        misses
            .iter()
            .for_each(|pattern| assert!(!agrees(pattern, topic), "{pattern} {topic}"));
        count += matches.len() + misses.len();
    }

    assert_eq!(count, 200);
}

#[test]
fn t3_a_pattern_that_cannot_match_is_refused_with_both_names() {
    for (topic, check, _, misses) in PAIRS {
        for pattern in *misses {
            let panic = catch_unwind(|| check(pattern)).expect_err(pattern);

            let message = panic
                .downcast_ref::<String>()
                .expect("the message is formatted");
            let expected = format!(
                "listener pattern `{pattern}` can never match: the event's topic is `{topic}`"
            );
            assert_eq!(*message, expected);
        }
    }
}

#[test]
fn t3_the_function_that_the_compiler_calls_says_the_same_at_run_time() {
    for (_, check, matches, _) in PAIRS {
        matches.iter().for_each(|pattern| check(pattern));
    }
}
