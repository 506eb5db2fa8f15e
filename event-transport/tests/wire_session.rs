//! Events, requests, credit and time on a connection that stands, and across those that do not.
#![cfg(feature = "wire")]

#[allow(dead_code, reason = "each test program uses a part of it")]
#[path = "support/pair.rs"]
mod pair;

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use event_transport::wire::proto::frame::{EventHead, Head, RequestHead, Seen};
use event_transport::wire::proto::greeter::Greeter;
use event_transport::wire::proto::session::{NotTaken, Notice};
use event_transport::wire::{Fault, Kind, Limits, Rejection, WireError};
use pair::{Pair, bob, meta, quote, say, setup};

fn event(sequence: u64, offer: u32) -> Head {
    Head::Event(EventHead {
        sequence,
        offer,
        meta: meta(sequence),
    })
}

fn request(call: u64, offer: u32) -> Head {
    Head::Request(RequestHead {
        call,
        offer,
        within_ms: 0,
        meta: meta(call),
    })
}

#[test]
fn an_event_is_kept_until_the_bus_of_the_peer_has_it() {
    let mut pair = Pair::open();

    pair.say(1);
    pair.run().unwrap();
    assert_eq!(pair.client.unacknowledged(), 1, "it arrived, and no more");

    assert_eq!(pair.accept(), [1]);
    pair.run().unwrap();
    assert_eq!(pair.client.unacknowledged(), 0);
    assert_eq!(pair.client.stats().acknowledged, 1);
}

#[test]
fn what_was_not_acknowledged_is_sent_again_with_the_same_id() {
    let mut pair = Pair::open();
    (1..=3).for_each(|number| pair.say(number));
    let lost = pair.client.output(pair.now).split();
    assert!(!lost.is_empty());

    pair.cut();
    pair.connect();
    pair.run().unwrap();

    assert_eq!(pair.accept(), [1, 2, 3]);
    assert_eq!(pair.client.stats().resent, 3);
    assert_eq!(pair.server.stats().duplicates, 0, "none of the first came");
}

#[test]
fn what_came_twice_is_heard_once_and_counted() {
    let mut pair = Pair::open();
    (1..=3).for_each(|number| pair.say(number));
    pair.run().unwrap();

    // The acknowledgement is lost: the bus takes them after the connection is gone.
    pair.cut();
    pair.connect();
    pair.run().unwrap();
    assert_eq!(pair.accept(), [1, 2, 3]);
    pair.run().unwrap();

    assert_eq!(pair.server.stats().duplicates, 3);
    assert_eq!(pair.client.unacknowledged(), 0);
}

#[test]
fn what_the_peer_had_before_the_cut_is_not_sent_again() {
    let mut pair = Pair::open();
    (1..=3).for_each(|number| pair.say(number));
    pair.run().unwrap();
    assert_eq!(pair.accept(), [1, 2, 3]);

    pair.cut();
    assert_eq!(pair.client.unacknowledged(), 3);
    pair.connect();
    pair.run().unwrap();

    assert_eq!(pair.client.unacknowledged(), 0, "the welcome says so");
    assert_eq!(pair.client.stats().resent, 0);
}

#[test]
fn a_peer_that_started_anew_takes_the_rest_and_counts_on() {
    let mut pair = Pair::open();
    (1..=3).for_each(|number| pair.say(number));
    pair.run().unwrap();
    assert_eq!(pair.accept(), [1, 2, 3]);

    let mut anew = Pair::new();
    std::mem::swap(&mut pair.server, &mut anew.server);
    pair.client.lost();
    pair.connect();
    pair.run().unwrap();
    pair.say(4);
    pair.run().unwrap();

    // It has no memory of the first three, so they pass again, with the ids they had.
    assert_eq!(pair.accept(), [1, 2, 3, 4]);
}

#[test]
fn a_replayed_frame_is_dropped() {
    let mut pair = Pair::open();
    for _ in 0..3 {
        pair.forge(&event(5, 0), b"{}").unwrap();
    }
    pair.forge(&event(4, 0), b"{}").unwrap();

    assert_eq!(pair.accept(), [5]);
    assert_eq!(pair.server.stats().duplicates, 3);
}

#[test]
fn acceptance_out_of_order_is_acknowledged_up_to_the_first_gap() {
    let mut pair = Pair::open();
    (1..=3).for_each(|number| pair.say(number));
    pair.run().unwrap();
    let session = pair.client.id();

    pair.server.settle(session, 3);
    pair.server.settle(session, 2);
    pair.run().unwrap();
    assert_eq!(pair.client.unacknowledged(), 3);

    pair.server.settle(session, 1);
    pair.run().unwrap();
    assert_eq!(pair.client.unacknowledged(), 0);
}

#[test]
fn an_event_that_the_bus_does_not_take_is_told_and_not_sent_again() {
    let mut pair = Pair::open();
    pair.say(1);
    pair.run().unwrap();

    pair.server.reject(
        pair.client.id(),
        1,
        Rejection::Payload("missing field `who`".to_owned()),
    );
    pair.run().unwrap();

    let (client, _) = pair.notices();
    let [
        Notice::Rejected {
            sequence: 1,
            offer: 0,
            id,
            why,
        },
        Notice::Acknowledged { upto: 1 },
    ] = &client[..]
    else {
        panic!("{client:?}");
    };
    assert_eq!(id.number(), 1);
    assert_eq!(
        why.to_string(),
        "the payload does not fit: missing field `who`"
    );
    assert_eq!(pair.client.unacknowledged(), 0);
    assert_eq!(
        (
            pair.client.stats().rejected,
            pair.client.stats().acknowledged
        ),
        (1, 0)
    );
}

#[test]
fn a_rejection_outlives_the_connection() {
    let mut pair = Pair::open();
    pair.say(1);
    pair.run().unwrap();
    pair.cut();
    pair.server.reject(pair.client.id(), 1, Rejection::Loop);

    pair.connect();
    pair.run().unwrap();

    assert_eq!(pair.client.stats().rejected, 1);
    assert_eq!(pair.client.unacknowledged(), 0);
}

#[test]
fn an_event_that_was_not_agreed_on_is_rejected_and_the_link_goes_on() {
    let mut pair = Pair::open();

    pair.forge(&event(1, 7), b"{}").unwrap();
    pair.forge(&event(2, 0), b"{}").unwrap();

    assert_eq!(pair.accept(), [2]);
    let frames = pair.frames();
    let not_agreed = Head::Reject {
        sequence: 1,
        why: Rejection::NotAgreed,
    };
    assert!(
        frames.iter().any(|frame| frame.head == not_agreed),
        "{frames:?}"
    );
}

#[test]
fn topics_that_the_peer_does_not_want_are_counted_and_not_sent() {
    let mut pair = Pair::of(setup(vec![say()], vec![]), setup(vec![], vec![]));
    pair.connect();
    pair.run().unwrap();

    pair.say(1);
    pair.run().unwrap();

    assert_eq!(pair.client.stats().unwanted, 1);
    let (client, _) = pair.notices();
    assert!(matches!(
        client[..],
        [Notice::Opened { .. }, Notice::Unwanted { offer: 0, .. }]
    ));
}

#[test]
fn nothing_is_taken_when_what_is_kept_is_at_its_limit() {
    let mut client = setup(vec![say()], vec![]);
    client.limits = Limits::default().unacknowledged(2);
    let mut pair = Pair::of(client, setup(vec![], vec![say()]));
    pair.say(1);
    pair.say(2);

    assert!(!pair.client.is_ready());
    let third = pair.client.publish(0, meta(3), Bytes::new());
    assert_eq!(third, Err(NotTaken::Full));

    pair.connect();
    pair.run().unwrap();
    assert_eq!(pair.accept(), [1, 2]);
    pair.run().unwrap();
    assert!(pair.client.is_ready());
}

#[test]
fn an_event_that_is_longer_than_a_frame_is_refused_at_once() {
    let mut pair = Pair::open();

    let long = Bytes::from(vec![b'x'; 1024 * 1024]);

    assert_eq!(
        pair.client.publish(0, meta(1), long),
        Err(NotTaken::TooLong)
    );
}

#[test]
fn an_event_that_is_longer_than_the_peer_takes_is_counted_and_the_next_is_sent() {
    let mut server = setup(vec![], vec![say()]);
    server.limits = Limits::default().max_frame(1024);
    let mut pair = Pair::of(setup(vec![say()], vec![]), server);
    pair.client
        .publish(0, meta(1), Bytes::from(vec![b'x'; 1024]))
        .unwrap();
    pair.say(2);

    pair.connect();
    pair.run().unwrap();

    assert_eq!(pair.accept(), [2]);
    assert_eq!(pair.client.stats().too_long, 1);
}

fn small_server() -> Pair {
    let mut server = setup(vec![], vec![say()]);
    server.limits = Limits::default().max_frame(1024).receive(0);
    let mut pair = Pair::of(setup(vec![say()], vec![]), server);
    pair.connect();
    pair.run().expect("they agree");
    pair.notices();
    pair
}

#[test]
fn a_bus_that_takes_nothing_holds_the_sender_back_within_its_limit() {
    let mut pair = small_server();
    for number in 1..=100 {
        let payload = Bytes::from(vec![b'x'; 500]);
        pair.client.publish(0, meta(number), payload).unwrap();
    }

    pair.run().unwrap();
    let (_, server) = pair.notices();
    // Two frames of 1024 and what heads cost: three events of 628 bytes.
    assert_eq!(server.len(), 3);
    assert_eq!(pair.client.unacknowledged(), 100);

    // As the bus takes them the rest comes, to the last.
    for notice in server {
        let Notice::Event(arrival) = notice else {
            panic!("{notice:?}")
        };
        pair.server.settle(arrival.session, arrival.sequence);
    }
    let mut heard = 3;
    while heard < 100 {
        pair.run().unwrap();
        let now = pair.accept().len();
        assert!(now > 0, "the sender waits for credit that is not given");
        heard += now;
    }
    pair.run().unwrap();
    assert_eq!(pair.client.unacknowledged(), 0);
}

#[test]
fn longest_events_alone_never_wait_for_ever() {
    let mut pair = small_server();
    for number in 1..=20 {
        let payload = Bytes::from(vec![b'x'; 1024 - 128]);
        pair.client.publish(0, meta(number), payload).unwrap();
    }

    let mut heard = 0;
    while heard < 20 {
        pair.run().unwrap();
        let now = pair.accept().len();
        assert!(now > 0, "the sender waits for credit that is not given");
        heard += now;
    }
}

#[test]
fn a_peer_that_sends_more_than_its_credit_is_cut_off() {
    let mut pair = small_server();
    let payload = vec![b'x'; 500];

    let sent: Result<(), WireError> =
        (1..=4).try_for_each(|sequence| pair.forge(&event(sequence, 0), &payload));

    let (granted, taken) = (2304, 2512);
    assert_eq!(sent, Err(WireError::CreditExceeded { granted, taken }));
}

#[test]
fn a_credit_that_goes_back_or_beyond_all_numbers_is_refused() {
    for upto in [0, u64::MAX] {
        let mut pair = Pair::open();
        let error = pair.forge(&Head::Credit { upto }, &[]).unwrap_err();
        assert!(
            matches!(error, WireError::CreditOverflow { now, .. } if now == upto),
            "{error}"
        );
    }
}

#[test]
fn an_acknowledgement_or_rejection_of_what_was_never_sent_is_refused() {
    let why = Rejection::Loop;
    for head in [Head::Ack { upto: 1 }, Head::Reject { sequence: 1, why }] {
        let error = Pair::open().forge(&head, &[]).unwrap_err();
        assert_eq!(
            error,
            WireError::NeverSent {
                sequence: 1,
                last: 0
            }
        );
    }
}

#[test]
fn a_second_connection_that_is_refused_leaves_the_first_unharmed() {
    let mut pair = Pair::open();
    let mut again = Pair::new();
    again.connect();
    let mut greeter = Greeter::new(pair.limits, pair.now);
    let mut bytes = again.client.output(pair.now).split();
    let mut hello = greeter.receive(&mut bytes).unwrap().unwrap();
    hello.seen = Some(Seen {
        session: pair.server.id(),
        upto: 1000,
    });

    let refused = pair
        .server
        .accept(greeter, &hello, &bob(), &pair.access, pair.now);

    assert!(
        matches!(refused, Err(WireError::NeverSent { sequence: 1000, .. })),
        "{refused:?}"
    );
    assert!(pair.server.is_open());
    assert!(pair.server.deadline().is_some(), "its silence would end it");
    pair.say(1);
    pair.run().unwrap();
    assert_eq!(pair.accept(), [1]);
}

#[test]
fn a_request_is_answered_by_its_number() {
    let mut pair = Pair::open();
    let within = Some(Duration::from_secs(1));
    let call = pair
        .client
        .request(1, meta(1), Bytes::from_static(b"1"), within, pair.now);
    let call = call.unwrap();
    pair.run().unwrap();
    let (_, server) = pair.notices();
    let [
        Notice::Request {
            ticket,
            want: 1,
            within,
            payload,
            ..
        },
    ] = &server[..]
    else {
        panic!("{server:?}");
    };
    assert_eq!(
        (*within, &payload[..]),
        (Some(Duration::from_secs(1)), &b"1"[..])
    );

    pair.server
        .reply(*ticket, Ok(Bytes::from_static(b"\"one\"")));
    pair.run().unwrap();

    let (client, _) = pair.notices();
    let answer = Ok(Bytes::from_static(b"\"one\""));
    assert_eq!(client, [Notice::Reply { call, answer }]);
}

#[test]
fn a_request_that_may_take_for_ever_has_no_limit_and_none_has_less_than_it_says() {
    let day = Duration::from_secs(24 * 60 * 60);
    let nothing = Duration::from_nanos(1);
    let least = Duration::from_millis(1);
    for (asked, told) in [
        (None, None),
        (Some(Duration::MAX), None),
        (Some(50 * day), None),
        (Some(49 * day), Some(49 * day)),
        (Some(nothing), Some(least)),
    ] {
        let mut pair = Pair::open();
        pair.client
            .request(1, meta(1), Bytes::new(), asked, pair.now)
            .unwrap();
        pair.run().unwrap();

        let (_, server) = pair.notices();

        let [Notice::Request { within, .. }] = &server[..] else {
            panic!("{server:?}");
        };
        assert_eq!(*within, told, "{asked:?}");
    }
}

#[test]
fn a_request_that_fails_says_why() {
    let mut pair = Pair::open();
    pair.client
        .request(1, meta(1), Bytes::new(), None, pair.now)
        .unwrap();
    pair.run().unwrap();
    let (_, server) = pair.notices();
    let [
        Notice::Request {
            ticket,
            within: None,
            ..
        },
    ] = server[..]
    else {
        panic!("{server:?}");
    };

    pair.server.reply(ticket, Err(Fault::NoListener));
    pair.run().unwrap();

    let (client, _) = pair.notices();
    let answer = Err(Fault::NoListener);
    assert_eq!(client, [Notice::Reply { call: 1, answer }]);
}

#[test]
fn an_answer_that_comes_too_late_is_counted() {
    let mut pair = Pair::open();
    let within = Some(Duration::from_millis(50));
    pair.client
        .request(1, meta(1), Bytes::new(), within, pair.now)
        .unwrap();
    pair.run().unwrap();
    let (_, server) = pair.notices();
    assert_eq!(
        pair.client.deadline(),
        Some(pair.now + Duration::from_millis(50))
    );

    pair.pass(Duration::from_millis(50));
    pair.client.tick(pair.now).unwrap();
    let (client, _) = pair.notices();
    assert_eq!(
        client,
        [Notice::Reply {
            call: 1,
            answer: Err(Fault::TimedOut)
        }]
    );

    let Notice::Request { ticket, .. } = server[0] else {
        panic!("{server:?}")
    };
    // The peer was not told yet that nobody waits.
    pair.server.reply(ticket, Ok(Bytes::new()));
    let answer = pair.server.output(pair.now).split();
    pair.to_client.unsplit(answer);
    pair.run().unwrap();
    assert_eq!(pair.client.stats().late_replies, 1);
    assert_eq!(pair.notices().0, []);
}

#[test]
fn a_reply_that_nobody_asked_for_is_refused() {
    for head in [
        Head::Reply { call: 1 },
        Head::Fault {
            call: 1,
            fault: Fault::NoListener,
        },
    ] {
        let error = Pair::open().forge(&head, &[]).unwrap_err();
        assert_eq!(error, WireError::UnaskedReply { call: 1 });
    }
}

#[test]
fn a_request_is_lost_with_its_connection_and_its_answer_goes_nowhere() {
    let mut pair = Pair::open();
    pair.client
        .request(1, meta(1), Bytes::new(), None, pair.now)
        .unwrap();
    pair.run().unwrap();
    let (_, server) = pair.notices();
    let Notice::Request { ticket, .. } = server[0] else {
        panic!("{server:?}")
    };

    pair.cut();
    let (client, _) = pair.notices();
    assert_eq!(
        client,
        [Notice::Reply {
            call: 1,
            answer: Err(Fault::Lost)
        }]
    );

    pair.connect();
    pair.run().unwrap();
    pair.server.reply(ticket, Ok(Bytes::new()));
    assert_eq!(pair.frames(), []);
}

#[test]
fn requests_of_a_lost_connection_count_until_they_are_answered() {
    let mut pair = Pair::open();
    let mut tickets = Vec::new();
    for call in 1..=64 {
        pair.forge(&request(call, 1), b"{}").unwrap();
        let Some(Notice::Request { ticket, .. }) = pair.server.notice() else {
            panic!("request {call} is there");
        };
        tickets.push(ticket);
    }
    pair.cut();
    pair.connect();
    pair.run().unwrap();
    pair.notices();

    // The peer is right to ask, and this side to have no place.
    pair.forge(&request(1, 1), b"{}").unwrap();
    let faults = |pair: &mut Pair| -> Vec<Head> {
        let fault = |head: &Head| matches!(head, Head::Fault { .. });
        let heads = pair.frames().into_iter().map(|frame| frame.head);
        heads.filter(fault).collect()
    };
    let fault = Fault::TooMany;
    assert_eq!(faults(&mut pair), [Head::Fault { call: 1, fault }]);
    assert_eq!(pair.server.notice(), None);

    pair.server.reply(tickets[0], Ok(Bytes::new()));
    pair.forge(&request(2, 1), b"{}").unwrap();
    assert_eq!(faults(&mut pair), []);
    let notice = pair.server.notice();
    assert!(matches!(notice, Some(Notice::Request { .. })), "{notice:?}");
}

#[test]
fn payloads_of_requests_of_a_lost_connection_use_up_credit() {
    let mut pair = Pair::open();
    let payload = vec![b'x'; 900_000];
    for call in 1..=4 {
        pair.forge(&request(call, 1), &payload).unwrap();
    }
    pair.cut();
    pair.connect();
    pair.run().unwrap();

    let error = pair.forge(&request(5, 1), &payload).unwrap_err();

    assert!(matches!(error, WireError::CreditExceeded { .. }), "{error}");
}

#[test]
fn a_request_that_was_not_agreed_on_fails_and_the_link_goes_on() {
    let mut pair = Pair::open();

    pair.forge(&request(1, 9), b"{}").unwrap();

    let heads: Vec<Head> = pair.frames().into_iter().map(|frame| frame.head).collect();
    assert!(
        heads.contains(&Head::Fault {
            call: 1,
            fault: Fault::NotAgreed
        }),
        "{heads:?}"
    );
}

#[test]
fn more_requests_than_allowed_are_refused_on_either_side() {
    let mut pair = Pair::open();
    for _ in 0..64 {
        pair.client
            .request(1, meta(1), Bytes::new(), None, pair.now)
            .unwrap();
    }
    let more = pair
        .client
        .request(1, meta(1), Bytes::new(), None, pair.now);
    assert_eq!(more, Err(NotTaken::Full));

    pair.run().unwrap();
    let error = pair.forge(&request(65, 1), b"{}").unwrap_err();
    assert_eq!(error, WireError::TooManyRequests { limit: 64 });
}

#[test]
fn requests_that_nobody_waits_for_leave_their_places_on_either_side() {
    let mut pair = Pair::open();
    for round in 1..10 {
        let asked: Vec<u64> = (0..64)
            .map(|_| {
                let asked = pair
                    .client
                    .request(1, meta(1), Bytes::new(), None, pair.now);
                asked.unwrap()
            })
            .collect();
        // In the first half of the rounds the peer has them.
        if round < 5 {
            pair.run().unwrap();
        }
        let (_, taken) = pair.notices();
        assert_eq!(taken.len(), if round < 5 { 64 } else { 0 });
        for call in asked {
            pair.client.give_up(call);
        }
        pair.run().unwrap();
        for notice in taken {
            if let Notice::Request { ticket, .. } = notice {
                pair.server.reply(ticket, Ok(Bytes::new()));
            }
        }
        pair.run().unwrap();
    }
    assert_eq!(pair.client.stats().late_replies, 0);
}

#[test]
fn an_answer_that_crosses_the_end_of_the_wait_is_no_offence() {
    let mut pair = Pair::open();
    let call = pair
        .client
        .request(1, meta(1), Bytes::new(), None, pair.now)
        .unwrap();
    pair.run().unwrap();
    let (_, taken) = pair.notices();
    let Some(Notice::Request { ticket, .. }) = taken.first() else {
        panic!("the server is asked: {taken:?}");
    };

    pair.server.reply(*ticket, Ok(Bytes::new()));
    let answer = pair.server.output(pair.now).split();
    pair.client.give_up(call);
    pair.to_client.unsplit(answer);
    pair.run().unwrap();

    assert_eq!(pair.client.stats().late_replies, 1);
    assert_eq!(pair.notices(), (vec![], vec![]));
}

#[test]
fn what_a_peer_gave_up_counts_until_it_has_ended() {
    let mut pair = Pair::open();
    for call in 1..=64 {
        pair.forge(&request(call, 1), b"{}").unwrap();
        pair.forge(&Head::GiveUp { call }, &[]).unwrap();
    }
    // Nobody ever asked for this one.
    pair.forge(&Head::GiveUp { call: 1000 }, &[]).unwrap();

    pair.forge(&request(65, 1), b"{}").unwrap();

    let heads: Vec<Head> = pair.frames().into_iter().map(|frame| frame.head).collect();
    let fault = Fault::TooMany;
    assert!(
        heads.contains(&Head::Fault { call: 65, fault }),
        "{heads:?}"
    );
}

#[test]
fn a_peer_that_asks_and_does_not_read_the_answers_is_cut_off() {
    let mut pair = Pair::open();
    let asked: Result<(), WireError> = (1..=65).try_for_each(|call| {
        pair.forge(&request(call, 1), b"{}")?;
        let Some(Notice::Request { ticket, .. }) = pair.server.notice() else {
            panic!("request {call} is there");
        };
        pair.server.reply(ticket, Ok(Bytes::from_static(b"{}")));
        Ok(())
    });

    assert_eq!(asked, Err(WireError::TooManyRequests { limit: 64 }));
}

#[test]
fn both_sides_show_that_they_are_there_and_neither_is_taken_for_gone() {
    let mut pair = Pair::open();

    for _ in 0..100 {
        pair.pass(Duration::from_secs(10));
        pair.client.tick(pair.now).unwrap();
        pair.server.tick(pair.now).unwrap();
        pair.run().unwrap();
    }

    assert_eq!(pair.client.stats().round_trip, Some(Duration::ZERO));
}

#[test]
fn a_peer_that_says_nothing_is_taken_for_gone() {
    let mut pair = Pair::open();
    let idle = Duration::from_secs(30);

    // The client is asked for nothing any more: the server speaks, and hears nothing.
    while pair.server.deadline().unwrap() < pair.now + idle {
        let deadline = pair.server.deadline().unwrap();
        pair.pass(deadline - pair.now);
        if let Err(error) = pair.server.tick(pair.now) {
            assert_eq!(error, WireError::Idle(idle));
            return;
        }
        pair.server.output(pair.now).clear();
        pair.server.wrote(pair.now);
    }
    panic!("the server never looked");
}

#[test]
fn bytes_that_are_no_frame_do_not_count_as_life() {
    let mut pair = Pair::open();
    let mut bytes = BytesMut::new();
    event(1, 0).write(&[b'x'; 100], &mut bytes);
    let mut buffer = BytesMut::new();

    let end = bytes.iter().try_for_each(|byte| {
        pair.pass(Duration::from_secs(1));
        buffer.extend_from_slice(&[*byte]);
        pair.server.receive(&mut buffer, pair.now)?;
        pair.server.tick(pair.now)?;
        pair.server.output(pair.now).clear();
        pair.server.wrote(pair.now);
        Ok(())
    });

    assert_eq!(end, Err(WireError::Idle(Duration::from_secs(30))));
}

#[test]
fn a_frame_that_is_not_whole_in_time_ends_the_connection_of_the_most_patient() {
    let mut server = setup(vec![], vec![say(), quote()]);
    let hour = Duration::from_secs(60 * 60);
    server.limits = Limits::default().idle(hour);
    let mut pair = Pair::of(setup(vec![say(), quote()], vec![]), server);
    pair.connect();
    pair.run().expect("they agree");
    // What is whole does not count, however long ago it began.
    let mut bytes = BytesMut::new();
    Head::Ping(1).write(&[], &mut bytes);
    event(1, 0).write(&[b'x'; 100], &mut bytes);
    let (whole, cut) = bytes.split_at(10);
    let mut buffer = BytesMut::from(whole);
    pair.server.receive(&mut buffer, pair.now).unwrap();

    let begun = pair.now;
    let end = cut.iter().try_for_each(|byte| {
        pair.pass(Duration::from_secs(1));
        buffer.extend_from_slice(&[*byte]);
        pair.server.receive(&mut buffer, pair.now)?;
        assert!(pair.server.deadline().unwrap() <= begun + Duration::from_secs(30));
        pair.server.tick(pair.now)
    });

    assert_eq!(end, Err(WireError::SlowFrame(Duration::from_secs(30))));
    assert_eq!(pair.now - begun, Duration::from_secs(30));
}

#[test]
fn frames_that_come_in_pieces_and_in_time_are_taken() {
    let mut pair = Pair::open();
    for number in 1..100 {
        let mut bytes = BytesMut::new();
        event(number, 0).write(&[b'x'; 100], &mut bytes);
        let mut buffer = BytesMut::new();
        for half in bytes.chunks(bytes.len() / 2 + 1) {
            pair.pass(Duration::from_secs(10));
            buffer.extend_from_slice(half);
            pair.server.receive(&mut buffer, pair.now).unwrap();
            pair.server.tick(pair.now).unwrap();
            pair.server.output(pair.now).clear();
            pair.server.wrote(pair.now);
        }
    }
    assert_eq!(pair.server.stats().received, 99);
}

#[test]
fn a_peer_that_reads_nothing_is_cut_off_and_costs_one_buffer() {
    let mut pair = Pair::open();
    let end = (1..=1000).try_for_each(|number| {
        pair.pass(Duration::from_secs(1));
        // It speaks and so is not idle, and it wants every pong.
        pair.forge(&Head::Ping(number), &[])?;
        pair.server.tick(pair.now)?;
        assert!(pair.server.output(pair.now).len() < 128 * 1024);
        Ok(())
    });

    assert_eq!(end, Err(WireError::Stalled(Duration::from_secs(30))));
}

#[test]
fn a_peer_that_reads_a_byte_now_and_then_is_cut_off_and_one_that_is_slow_is_not() {
    // Each second it speaks and takes so many bytes of what is there: 64 KiB and a frame, that is to be taken within 30 s.
    let served = |bytes: usize| {
        let mut pair = Pair::open();
        (1..=200).try_for_each(|_| {
            while pair.server.output(pair.now).len() < 64 * 1024 {
                pair.forge(&Head::Ping(7), &[])?;
            }
            pair.pass(Duration::from_secs(1));
            pair.forge(&Head::Ping(7), &[])?;
            let output = pair.server.output(pair.now);
            output.advance(bytes.min(output.len()));
            pair.server.wrote(pair.now);
            pair.server.tick(pair.now)
        })
    };

    assert_eq!(served(3000), Ok(()));
    let stalled = Err(WireError::Stalled(Duration::from_secs(30)));
    assert_eq!((served(1), served(1000)), (stalled.clone(), stalled));
}

#[test]
fn a_peer_that_reads_a_byte_at_a_time_and_wants_every_pong_costs_one_buffer() {
    let mut pair = Pair::open();
    for number in 1..=20_000 {
        pair.forge(&Head::Ping(number), &[]).unwrap();
        let output = pair.server.output(pair.now);
        assert!(output.len() < 72 * 1024, "{} after {number}", output.len());
        output.advance(1);
        pair.server.wrote(pair.now);
    }
}

#[test]
fn a_sender_whose_peer_reads_nothing_fills_one_buffer() {
    let mut pair = Pair::open();
    for number in 1..=1000 {
        let payload = Bytes::from(vec![b'x'; 4000]);
        pair.client.publish(0, meta(number), payload).unwrap();
    }

    let waiting = pair.client.output(pair.now).len();

    assert!((64 * 1024..72 * 1024).contains(&waiting), "{waiting}");
}

#[test]
fn who_leaves_waits_until_the_peer_has_all() {
    let mut pair = Pair::open();
    pair.say(1);
    pair.client.leave();
    assert_eq!(
        pair.client.publish(0, meta(2), Bytes::new()),
        Err(NotTaken::Leaving)
    );

    pair.run().unwrap();
    assert!(
        !pair.client.is_over(),
        "the bus of the server has not taken it"
    );

    assert_eq!(pair.accept(), [1]);
    pair.run().unwrap();
    assert!(pair.client.is_over() && pair.server.is_over());
    assert!(pair.notices().0.contains(&Notice::Leaving));
}

#[test]
fn what_comes_after_a_goodbye_is_refused() {
    let mut pair = Pair::open();
    pair.forge(&Head::Goodbye, &[]).unwrap();

    let error = pair.forge(&event(1, 0), b"{}").unwrap_err();

    let kind = Kind::Event;
    assert_eq!(
        error,
        WireError::Unexpected {
            kind,
            at: "after its goodbye"
        }
    );
}

#[test]
fn what_is_not_sent_when_the_peer_leaves_waits_for_the_next_connection() {
    let mut pair = Pair::open();
    pair.server.leave();
    pair.run().unwrap();
    assert!(pair.server.is_over() && pair.client.is_over());

    pair.say(1);
    pair.run().unwrap();
    assert_eq!(pair.client.unacknowledged(), 1);
    assert_eq!(pair.client.stats().sent, 0);
}
