//! Two sides that do not agree, and say why.
#![cfg(feature = "wire")]

#[allow(dead_code, reason = "each test program uses a part of it")]
#[path = "support/pair.rs"]
mod pair;

use std::time::Duration;

use bytes::BytesMut;
use event_transport::wire::proto::frame::Head;
use event_transport::wire::proto::greeter::Greeter;
use event_transport::wire::proto::inlet::PREFACE;
use event_transport::wire::proto::session::{Notice, Setup};
use event_transport::wire::{Access, Identity, Kind, Limits, Refusal, Right, WireError};
use pair::{Pair, bob, meta, offer, quote, say, setup};

fn refused(client: Setup, server: Setup, access: Access) -> (WireError, WireError) {
    let mut pair = Pair::of(client, server);
    pair.access = access;
    pair.connect();
    let here = pair.run().expect_err("they do not agree");
    (here, pair.told())
}

fn disagree(client: Setup, server: Setup) -> (WireError, WireError) {
    refused(client, server, pair::everything())
}

#[test]
fn two_sides_that_agree_open_on_what_both_have() {
    let mut pair = Pair::of(
        setup(
            vec![say(), offer("chat.typing", 1, "")],
            vec![offer("chat.told", 1, "")],
        ),
        setup(vec![offer("chat.told", 1, "")], vec![say(), quote()]),
    );

    pair.connect();
    pair.run().unwrap();

    assert!(pair.client.is_open() && pair.server.is_open());
    let (client, server) = pair.notices();
    let [
        Notice::Opened {
            terms: client,
            peer,
        },
        Notice::Opened { terms: server, .. },
    ] = [&client[0], &server[0]]
    else {
        panic!("both are opened: {client:?} {server:?}");
    };
    assert_eq!(peer, "chat");
    assert_eq!(client.outgoing, [true, false]);
    assert_eq!(client.incoming, [Some(0)]);
    assert_eq!(server.outgoing, [true]);
    assert_eq!(server.incoming, [Some(0), None]);
}

#[test]
fn a_mismatch_of_shapes_names_both_sides_on_both_sides() {
    let ours = setup(
        vec![],
        vec![offer("chat.say", 1, "text: String, room: u32")],
    );

    let (server, client) = disagree(setup(vec![say()], vec![]), ours);

    assert_eq!(
        server.to_string(),
        "the two sides declare events differently; `chat.say` is wanted here as v1 (text: String, room: u32) and published by the peer as v1 (text: String)"
    );
    assert_eq!(
        client.to_string(),
        "the two sides declare events differently; `chat.say` is published here as v1 (text: String) and wanted by the peer as v1 (text: String, room: u32)"
    );
}

#[test]
fn every_mismatch_is_told_at_once() {
    let client = setup(vec![say(), quote()], vec![offer("chat.told", 2, "")]);
    let server = setup(
        vec![offer("chat.told", 1, "")],
        vec![
            offer("chat.say", 3, "text: String"),
            offer("chat.quote", 1, "line: u64 -> u64"),
        ],
    );

    let (server, client) = disagree(client, server);

    for error in [server, client] {
        let WireError::Mismatch(all) = error else {
            panic!("{error}");
        };
        assert_eq!(all.len(), 3);
    }
}

#[test]
fn who_is_granted_nothing_is_not_let_in() {
    let access = Access::nothing();
    let both = || (setup(vec![say()], vec![]), setup(vec![], vec![say()]));

    let (server, client) = refused(both().0, both().1, access);

    assert_eq!(server, WireError::UnknownIdentity(bob()));
    assert_eq!(
        client,
        WireError::Refused(Refusal::Identity("bob".to_owned()))
    );
    assert!(
        client
            .to_string()
            .contains("`bob`, which may do nothing here"),
        "{client}"
    );
}

#[test]
fn a_topic_that_the_identity_may_not_publish_or_hear_is_named() {
    let secret = || offer("chat.secret", 1, "");
    let access = Access::nothing()
        .allow(&bob(), Right::Publish, "chat.quote")
        .unwrap();
    let client = setup(vec![say(), quote()], vec![secret()]);
    let server = setup(vec![secret()], vec![say(), quote()]);

    let (server, client) = refused(client, server, access);

    assert_eq!(
        server.to_string(),
        "`bob` may not publish `chat.say`, or subscribe `chat.secret`: grant it with `allow` at the accepting side, or ask for less"
    );
    assert!(
        client.to_string().contains("may not publish `chat.say`"),
        "{client}"
    );
}

#[test]
fn rights_of_another_identity_are_of_no_use() {
    let access = Access::nothing()
        .allow(&Identity::new("alice"), Right::Publish, "**")
        .unwrap();

    let (server, _) = refused(
        setup(vec![say()], vec![]),
        setup(vec![], vec![say()]),
        access,
    );

    assert_eq!(server, WireError::UnknownIdentity(bob()));
}

#[test]
fn topics_that_are_none_are_named_and_shortened() {
    let long = "x".repeat(10_000);
    for (topic, words) in [
        (long.as_str(), "more than 255 bytes"),
        ("", "empty segment"),
        ("chat.*", "may not stand in a segment"),
        ("chat.\u{1b}[2J", "may not stand in a segment"),
    ] {
        let client = setup(vec![offer(topic, 1, "")], vec![]);
        let (server, client) = disagree(client, setup(vec![], vec![say()]));
        let server = server.to_string();
        assert!(server.contains(words), "{server}");
        assert!(server.len() < 300 && !server.contains('\u{1b}'), "{server}");
        assert!(client.to_string().contains(words), "{client}");
    }
}

#[test]
fn a_topic_that_is_offered_twice_is_named() {
    let (server, _) = disagree(
        setup(vec![say(), say()], vec![]),
        setup(vec![], vec![say()]),
    );

    assert_eq!(
        server.to_string(),
        "the peer names the topic `chat.say`: it is there twice"
    );
}

#[test]
fn another_content_type_is_named_with_both() {
    let mut client = setup(vec![say()], vec![]);
    client.content_type = "application/cbor";

    let (server, _) = disagree(client, setup(vec![], vec![say()]));

    assert!(
        server
            .to_string()
            .contains("`application/json` here and `application/cbor` at the peer")
    );
}

#[test]
fn each_side_speaks_as_often_as_the_one_with_less_patience_wants() {
    for (client_idle, server_idle) in [(600, 30), (30, 600)] {
        let mut client = setup(vec![say()], vec![]);
        let mut server = setup(vec![], vec![say()]);
        client.limits = Limits::default().idle(Duration::from_secs(client_idle));
        server.limits = Limits::default().idle(Duration::from_secs(server_idle));
        let mut pair = Pair::of(client, server);
        pair.connect();
        pair.run().unwrap();

        for _ in 0..1000 {
            pair.pass(Duration::from_secs(1));
            pair.client.tick(pair.now).unwrap();
            pair.server.tick(pair.now).unwrap();
            pair.run().unwrap();
        }
    }
}

#[test]
fn a_peer_that_wants_to_hear_of_this_side_all_the_time_does_not() {
    let mut pair = Pair::new();
    pair.connect();
    let mut bytes = pair.client.output(pair.now).split();
    let mut greeter = Greeter::new(pair.limits, pair.now);
    let mut hello = greeter.receive(&mut bytes).unwrap().unwrap();
    hello.heartbeat_ms = 0;
    pair.server
        .accept(greeter, &hello, &bob(), &pair.access, pair.now)
        .unwrap();

    pair.server.output(pair.now).clear();
    pair.server.wrote(pair.now);

    let next = pair.server.deadline().unwrap() - pair.now;
    assert_eq!(next, Duration::from_secs(1));
}

#[test]
fn the_largest_limits_are_ones_that_a_peer_takes() {
    let limits = Limits::default()
        .receive(usize::MAX)
        .keep(usize::MAX)
        .max_frame(usize::MAX)
        .unacknowledged(usize::MAX)
        .requests(usize::MAX)
        .frame_within(Duration::MAX)
        .idle(Duration::MAX);
    let (mut client, mut server) = (setup(vec![say()], vec![]), setup(vec![], vec![say()]));
    (client.limits, server.limits) = (limits, limits);
    let mut pair = Pair::of(client, server);
    pair.connect();
    pair.run().unwrap();

    pair.say(1);
    pair.run().unwrap();

    assert_eq!(pair.accept(), [1]);
}

#[test]
fn the_smallest_limits_let_one_event_after_the_other_pass() {
    let limits = Limits::default()
        .receive(0)
        .keep(0)
        .max_frame(0)
        .unacknowledged(0)
        .requests(0)
        .frame_within(Duration::ZERO)
        .idle(Duration::ZERO);
    let (mut client, mut server) = (setup(vec![say()], vec![]), setup(vec![], vec![say()]));
    (client.limits, server.limits) = (limits, limits);
    let mut pair = Pair::of(client, server);
    pair.connect();
    pair.run().unwrap();

    for number in 1..10 {
        pair.say(number);
        pair.run().unwrap();
        assert_eq!(pair.accept(), [number]);
        pair.run().unwrap();
        assert_eq!(pair.client.unacknowledged(), 0);
    }
}

#[test]
fn a_credit_beyond_all_numbers_is_refused() {
    let mut pair = Pair::new();
    pair.connect();
    let mut bytes = pair.client.output(pair.now).split();
    let mut greeter = Greeter::new(pair.limits, pair.now);
    let mut hello = greeter.receive(&mut bytes).unwrap().unwrap();
    hello.receive = u64::MAX;

    let accepted = pair
        .server
        .accept(greeter, &hello, &bob(), &pair.access, pair.now);

    assert!(
        matches!(accepted, Err(WireError::CreditOverflow { .. })),
        "{accepted:?}"
    );
}

#[test]
fn a_peer_that_never_finishes_its_handshake_is_cut_off_on_either_side() {
    let mut pair = Pair::new();
    pair.connect();
    let greeter = Greeter::new(pair.limits, pair.now);
    let time = Duration::from_secs(10);

    pair.pass(Duration::from_millis(9_999));
    assert_eq!(
        (greeter.check(pair.now), pair.client.tick(pair.now)),
        (Ok(()), Ok(()))
    );

    pair.pass(Duration::from_millis(1));
    assert_eq!(greeter.deadline(), pair.now);
    assert_eq!(pair.client.deadline(), Some(pair.now));
    let late = Err(WireError::HandshakeTimeout(time));
    assert_eq!(
        (greeter.check(pair.now), pair.client.tick(pair.now)),
        (late.clone(), late)
    );
}

#[test]
fn a_hello_of_a_byte_a_second_is_cut_off_too() {
    let mut pair = Pair::new();
    pair.connect();
    let hello = pair.client.output(pair.now).split();
    let mut greeter = Greeter::new(pair.limits, pair.now);
    let mut buffer = BytesMut::new();

    let end = hello.iter().try_for_each(|byte| {
        pair.now += Duration::from_secs(1);
        buffer.extend_from_slice(&[*byte]);
        assert_eq!(greeter.receive(&mut buffer), Ok(None));
        greeter.check(pair.now)
    });

    assert_eq!(
        end,
        Err(WireError::HandshakeTimeout(Duration::from_secs(10)))
    );
}

#[test]
fn a_server_that_says_anything_but_welcome_is_named() {
    let mut pair = Pair::new();
    pair.connect();
    let mut bytes = BytesMut::from(&PREFACE[..]);
    Head::Credit { upto: 1 }.write(&[], &mut bytes);

    let error = pair.client.receive(&mut bytes, pair.now).unwrap_err();

    assert_eq!(
        error,
        WireError::Unexpected {
            kind: Kind::Credit,
            at: "before its welcome"
        }
    );
}

#[test]
fn a_second_handshake_on_one_connection_is_refused() {
    let mut pair = Pair::open();
    let mut again = Pair::new();
    again.connect();
    let mut hello = again.client.output(again.now).split();

    let error = pair
        .server
        .receive(&mut hello.split_off(PREFACE.len()), pair.now);

    let kind = Kind::Hello;
    assert_eq!(
        error,
        Err(WireError::Unexpected {
            kind,
            at: "after the handshake"
        })
    );
}

#[test]
fn a_version_that_the_server_does_not_speak_is_told_to_the_client() {
    let mut pair = Pair::new();
    pair.connect();
    let mut hello = pair.client.output(pair.now).split();
    hello[7] = 9;
    let mut greeter = Greeter::new(pair.limits, pair.now);

    let error = greeter.receive(&mut hello).unwrap_err();
    pair.to_client = event_transport::wire::proto::greeter::refusal(&error);

    assert!(
        pair.told()
            .to_string()
            .contains("version 9 of the link protocol")
    );
}

#[test]
fn what_was_published_before_the_handshake_is_sent_after_it() {
    let mut pair = Pair::new();
    pair.say(1);
    let unwanted = pair.client.publish(1, meta(2), bytes::Bytes::new());
    unwanted.unwrap();

    pair.connect();
    pair.run().unwrap();

    assert_eq!(pair.accept(), [1, 2]);
}
