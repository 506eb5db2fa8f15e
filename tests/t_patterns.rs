//! T1 and T2: random topics and patterns against a matcher and a grammar that are written another way.

#[allow(
    dead_code,
    unreachable_pub,
    reason = "the tests use the matcher, not the errors around it"
)]
#[path = "../event-core/src/topic.rs"]
mod topic;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use tidings::{Bus, Event, PatternErrorKind, event};

/// Split on dots, then segment by segment from the front.
fn matches(pattern: &str, topic: &str) -> bool {
    fn rest(pattern: &[&str], topic: &[&str]) -> bool {
        match (pattern, topic) {
            ([], []) | (["**"], [_, ..]) => true,
            ([first, pattern @ ..], [segment, topic @ ..]) => {
                (*first == "*" || first == segment) && rest(pattern, topic)
            }
            _ => false,
        }
    }
    let (pattern, topic): (Vec<_>, Vec<_>) =
        (pattern.split('.').collect(), topic.split('.').collect());
    rest(&pattern, &topic)
}

fn is_segment(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn is_topic(text: &str) -> bool {
    text.len() <= 255 && text.split('.').count() <= 16 && text.split('.').all(is_segment)
}

fn is_pattern(text: &str) -> bool {
    let segments: Vec<_> = text.split('.').collect();
    let last = segments.len() - 1;
    let fits = |(at, segment): (usize, &&str)| {
        is_segment(segment) || *segment == "*" || (*segment == "**" && at == last)
    };
    text.len() <= 255 && segments.len() <= 16 && segments.iter().enumerate().all(fits)
}

/// Few letters and few segments, so that matches are not rare.
fn some_topic() -> impl Strategy<Value = String> {
    prop::collection::vec("[ab]{1,2}", 1..=5).prop_map(|segments| segments.join("."))
}

fn some_pattern() -> impl Strategy<Value = String> {
    let segment = prop_oneof![3 => "[ab]{1,2}", 2 => Just("*".to_owned())];
    let segments = prop::collection::vec(segment, 0..=5);
    (segments, any::<bool>()).prop_map(|(mut segments, open)| {
        if open || segments.is_empty() {
            segments.push("**".to_owned());
        }
        segments.join(".")
    })
}

/// Texts near the edge of the grammar, also outside of it.
fn some_text() -> impl Strategy<Value = String> {
    let segment = prop_oneof![6 => "[A-Za-z0-9_-]{1,3}", 2 => Just("*".to_owned()), 1 => Just("**".to_owned()), 1 => ".{0,3}", 1 => "[*a]{1,3}"];
    prop::collection::vec(segment, 1..=18).prop_map(|segments| segments.join("."))
}

macro_rules! events {
    ($($event:ident $topic:literal)*) => {
        $(
            #[event($topic)]
            struct $event;
        )*

        /// The topic and how to emit it.
        const EVENTS: &[(&str, fn(&Bus))] = &[$(($event::TOPIC, |bus| drop(bus.emit($event)))),*];
    };
}

events! {
    E1 "a" E2 "b" E3 "aa" E4 "ab" E5 "a.a" E6 "a.b" E7 "b.a" E8 "b.b" E9 "ab.a" E10 "a.ab"
    E11 "a.a.a" E12 "a.a.b" E13 "a.b.a" E14 "b.a.a" E15 "b.b.b" E16 "aa.b.ab" E17 "a.a.a.a"
    E18 "a.b.a.b" E19 "b.b.a.a" E20 "a.a.a.a.a" E21 "a.b.a.b.a" E22 "b.a.bb.aa.b"
    E23 "a.a.a.a.a.a" Sixteen "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn t2_the_matcher_agrees_with_a_simple_one(pattern in some_pattern(), topic in some_topic()) {
        prop_assert_eq!(topic::matches(&pattern, &topic), matches(&pattern, &topic));
    }

    #[test]
    fn t2_a_pattern_made_from_a_topic_matches_it(topic in some_topic(), stars in any::<u8>(), cut in 0_usize..5) {
        let segments: Vec<_> = topic.split('.').collect();
        let mut pattern: Vec<_> =
            segments.iter().enumerate().map(|(at, segment)| if stars & (1 << at) == 0 { *segment } else { "*" }).collect();
        prop_assert!(topic::matches(&pattern.join("."), &topic));

        pattern.truncate(cut);
        pattern.push("**");
        prop_assert_eq!(topic::matches(&pattern.join("."), &topic), cut < segments.len());
    }

    #[test]
    fn t1_the_grammar_of_topics_agrees_with_a_simple_one(text in some_text()) {
        prop_assert_eq!(topic::check(&text, false).is_none(), is_topic(&text), "{}", text);
    }

    #[test]
    fn t2_the_grammar_of_patterns_agrees_with_a_simple_one(text in some_text()) {
        let found = topic::check(&text, true);

        prop_assert_eq!(found.is_none(), is_pattern(&text), "{} {:?}", text, found);
        if let Some((at, _)) = found {
            prop_assert!(at <= text.len());
        }
    }

    #[test]
    fn t2_on_topic_takes_every_pattern_and_nothing_else(text in some_text()) {
        static BUS: LazyLock<Bus> = LazyLock::new(Bus::empty);

        prop_assert_eq!(BUS.on_topic(&text, |_| {}).is_ok(), is_pattern(&text), "{}", text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn t3_a_subscription_by_topic_hears_what_a_simple_matcher_says(pattern in some_pattern()) {
        let bus = Bus::empty();
        let heard = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&heard);
        let tell = move |event: &tidings::AnyEvent<'_>| {
            count.fetch_add(event.topic().len(), Ordering::Relaxed);
        };
        bus.on_topic(&pattern, tell).unwrap().forever();

        for (topic, emit) in EVENTS {
            emit(&bus);
            let expected = if matches(&pattern, topic) { topic.len() } else { 0 };
            prop_assert_eq!(heard.swap(0, Ordering::Relaxed), expected, "{} {}", pattern, topic);
        }
    }
}

#[test]
fn t2_a_text_that_is_no_pattern_is_refused_with_the_place_and_the_reason() {
    use PatternErrorKind::{Character, EmptySegment, TooLong, TooManySegments, Wildcard};

    let seventeen = ["a"; 17].join(".");
    let long = "a".repeat(256);
    let cases: [(&str, PatternErrorKind, usize, &str); 14] = [
        ("", EmptySegment, 0, "it has an empty segment at byte 0"),
        (".", EmptySegment, 0, "it has an empty segment at byte 0"),
        (
            "orders.",
            EmptySegment,
            7,
            "it has an empty segment at byte 7",
        ),
        ("a..b", EmptySegment, 2, "it has an empty segment at byte 2"),
        (
            "or ders",
            Character(' '),
            2,
            "` ` at byte 2 may not stand in a segment; use A-Z a-z 0-9 _ -",
        ),
        (
            "ab.ü",
            Character('ü'),
            3,
            "`ü` at byte 3 may not stand in a segment; use A-Z a-z 0-9 _ -",
        ),
        (
            "a\n",
            Character('\n'),
            1,
            "`\\n` at byte 1 may not stand in a segment; use A-Z a-z 0-9 _ -",
        ),
        (
            "a/b",
            Character('/'),
            1,
            "`/` at byte 1 may not stand in a segment; use A-Z a-z 0-9 _ -",
        ),
        (
            "**.a",
            Wildcard,
            0,
            "the `*` at byte 0 must be a whole segment, or `**` as the last one",
        ),
        (
            "a.*b",
            Wildcard,
            2,
            "the `*` at byte 2 must be a whole segment, or `**` as the last one",
        ),
        (
            "a.b*",
            Wildcard,
            3,
            "the `*` at byte 3 must be a whole segment, or `**` as the last one",
        ),
        (
            "a.***",
            Wildcard,
            2,
            "the `*` at byte 2 must be a whole segment, or `**` as the last one",
        ),
        (
            &seventeen,
            TooManySegments,
            31,
            "it has more than 16 segments",
        ),
        (&long, TooLong, 255, "it has more than 255 bytes"),
    ];

    for (text, kind, at, reason) in cases {
        let error = Bus::empty().on_topic(text, |_| {}).expect_err(text);

        assert_eq!((error.kind(), error.at()), (kind, at), "{text}");
        assert_eq!(
            error.to_string(),
            format!("`{text}` is not a pattern: {reason}")
        );
    }
}

#[test]
fn t1_sixteen_segments_and_255_bytes_are_a_topic_still() {
    let long = "a".repeat(255);

    assert!(Bus::empty().on_topic(&long, |_| {}).is_ok());
    assert_eq!(topic::check(Sixteen::TOPIC, false), None);
}
