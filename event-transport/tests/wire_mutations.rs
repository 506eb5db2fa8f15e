//! Mutated input: never a panic, never memory beyond the limits, always a named error or something that holds.
#![cfg(feature = "wire")]

#[path = "support/mutate.rs"]
mod mutate;
#[allow(dead_code, reason = "each test program uses a part of it")]
#[path = "support/pair.rs"]
mod pair;

use std::sync::Mutex;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use event_transport::wire::proto::frame::{EventHead, Head, Meta, RequestHead};
use event_transport::wire::proto::greeter::{Greeter, refusal};
use event_transport::wire::proto::inlet::{Frame, Inlet, PREFACE};
use event_transport::wire::proto::session::Notice;
use event_transport::wire::{Codec, EventId, Fault, Json, Limits, Rejection, WireError};
use fastrand::Rng;
use mutate::mutate;
use pair::{Pair, bob, offer, quote, say, setup};
use serde::{Deserialize, Serialize};
use tidings::{Bus, event, listener};

const MAX: usize = 4096;

fn limits() -> Limits {
    Limits::default()
        .max_frame(MAX)
        .max_handshake(MAX)
        .receive(0)
}

fn head(random: &mut Rng) -> Head {
    let small = |random: &mut Rng| random.u64(0..6);
    let meta = Meta {
        id: EventId::new(random.u64(..), small(random)),
        micros: random.u64(..),
        cause: random.bool().then(|| EventId::new(1, 1)),
        trace: None,
        hops: random.u8(..),
    };
    let offer = random.u32(0..3);
    match random.u32(0..11) {
        0..=2 => Head::Event(EventHead {
            sequence: small(random),
            offer,
            meta,
        }),
        3 => Head::Ack {
            upto: small(random),
        },
        4 => Head::Reject {
            sequence: small(random),
            why: Rejection::Payload("é".repeat(300)),
        },
        5 => Head::Request(RequestHead {
            call: small(random),
            offer,
            within_ms: random.u32(..),
            meta,
        }),
        6 => Head::Reply {
            call: small(random),
        },
        7 => Head::Fault {
            call: small(random),
            fault: Fault::Failed("\u{1b}[2J".to_owned()),
        },
        8 => Head::Credit {
            upto: 8448 + small(random),
        },
        9 => Head::GiveUp {
            call: small(random),
        },
        _ if random.u8(..) == 0 => Head::Goodbye,
        _ => Head::Ping(small(random)),
    }
}

fn frames(random: &mut Rng) -> BytesMut {
    let mut bytes = BytesMut::new();
    for _ in 0..random.u32(1..6) {
        let head = head(random);
        let payload = vec![b'7'; random.usize(0..40)];
        let payload = if head.kind().has_payload() {
            &payload[..]
        } else {
            &[]
        };
        head.write(payload, &mut bytes);
    }
    bytes
}

fn mutated(bytes: &[u8], random: &mut Rng) -> BytesMut {
    let mut bytes = bytes.to_vec();
    mutate(&mut bytes, random);
    BytesMut::from(&bytes[..])
}

/// What a person reads is bounded and moves no cursor.
fn readable(error: &WireError) {
    let text = error.to_string();
    assert!(text.len() < 64 * 1024, "{} bytes", text.len());
    assert!(!text.contains(char::is_control), "{text:?}");
}

type Read = (Vec<Frame>, Option<WireError>);

fn read(bytes: &BytesMut, mut piece: impl FnMut() -> usize) -> Read {
    let mut inlet = Inlet::new(MAX);
    let mut buffer = BytesMut::from(&PREFACE[..]);
    let (mut frames, mut rest) = (Vec::new(), bytes.clone());
    loop {
        match inlet.next(&mut buffer) {
            Ok(Some(frame)) => frames.push(frame),
            Err(error) => return (frames, Some(error)),
            Ok(None) if rest.is_empty() => return (frames, None),
            Ok(None) => {
                let next = rest.split_to(piece().min(rest.len()));
                buffer.extend_from_slice(&next);
            }
        }
    }
}

#[test]
fn frames_in_any_pieces_are_the_same_frames_or_the_same_error() {
    mutate::run(|random| {
        let bytes = mutated(&frames(random), random);

        let whole = read(&bytes, || usize::MAX);
        let pieces = read(&bytes, || random.usize(1..20));

        assert_eq!(whole, pieces);
        if let Some(error) = &whole.1 {
            readable(error);
        }
        for frame in whole.0 {
            let mut again = BytesMut::new();
            frame.head.write(&frame.payload, &mut again);
            assert_eq!(read(&again, || usize::MAX), (vec![frame], None));
        }
    });
}

fn small_pair() -> Pair {
    let mut client = setup(vec![say(), quote()], vec![offer("chat.told", 1, "")]);
    let mut server = setup(vec![offer("chat.told", 1, "")], vec![say(), quote()]);
    (client.limits, server.limits) = (limits(), limits());
    Pair::of(client, server)
}

#[test]
fn a_handshake_and_what_follows_end_in_a_link_or_a_named_error() {
    mutate::run(|random| {
        let mut pair = small_pair();
        pair.connect();
        if let Err(error) = talk(&mut pair, random) {
            readable(&error);
            assert!(refusal(&error).len() <= 64 * 1024 + MAX);
        }
    });
}

fn talk(pair: &mut Pair, random: &mut Rng) -> Result<(), WireError> {
    let now = pair.now;
    let mut hello = pair.client.output(now).split();
    let (at_server, at_client) = (random.bool(), random.bool());
    if at_server {
        hello = mutated(&hello, random);
    }
    let mut greeter = Greeter::new(limits(), now);
    let Some(hello) = greeter.receive(&mut hello)? else {
        return Ok(());
    };
    pair.server
        .accept(greeter, &hello, &bob(), &pair.access, now)?;
    let mut welcome = pair.server.output(now).split();
    if at_client {
        welcome = mutated(&welcome, random);
    }
    pair.client.receive(&mut welcome, now)?;
    if pair.client.is_open() {
        pair.say(1);
    }
    for _ in 0..random.u32(1..8) {
        let mut bytes = frames(random);
        if random.bool() {
            bytes = mutated(&bytes, random);
        }
        pair.server.receive(&mut bytes, now)?;
        answer(pair, random);
        let out = pair.server.output(now);
        assert!(out.len() <= 64 * 1024 + MAX, "{} bytes", out.len());
        let answers = read(out, || usize::MAX);
        assert_eq!(answers.1, None, "what this side says is readable");
        pair.now += Duration::from_secs(random.u64(0..5));
        pair.server.tick(pair.now)?;
    }
    Ok(())
}

/// The bus of the server does one thing or another with what came.
fn answer(pair: &mut Pair, random: &mut Rng) {
    let limit = limits().max_frame_bytes() * 4;
    let mut held = 0;
    while let Some(notice) = pair.server.notice() {
        match notice {
            Notice::Event(arrival) if random.bool() => {
                pair.server.settle(arrival.session, arrival.sequence);
            }
            Notice::Event(arrival) if random.bool() => {
                pair.server
                    .reject(arrival.session, arrival.sequence, Rejection::Loop);
            }
            Notice::Event(arrival) => held += arrival.payload.len(),
            Notice::Request {
                ticket, payload, ..
            } if random.bool() => {
                pair.server.reply(ticket, Ok(payload));
            }
            Notice::Request { payload, .. } => held += payload.len(),
            _ => {}
        }
    }
    assert!(held <= limit, "{held} bytes are held");
}

#[event("chat.order", serde)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Order {
    number: u64,
    who: Option<String>,
    lines: Vec<(String, i32)>,
    price: f64,
}

static HEARD: Mutex<Option<Order>> = Mutex::new(None);

#[listener]
fn hear(e: &Order) {
    *HEARD.lock().unwrap() = Some(e.clone());
}

#[test]
fn a_payload_is_heard_as_it_is_or_refused_by_name() {
    let bus = Bus::builder().build().unwrap();
    mutate::run(|random| {
        let order = Order {
            number: random.u64(..),
            who: random.bool().then(|| "zoë".to_owned()),
            lines: (0..random.i32(0..4))
                .map(|n| ("tea".to_owned(), n))
                .collect(),
            price: 1.5,
        };
        let mut payload = serde_json::to_vec(&order).unwrap();
        mutate(&mut payload, random);
        HEARD.lock().unwrap().take();

        let emitted = Json.emit(&bus, "chat.order", &payload);

        let heard = HEARD.lock().unwrap().take();
        match emitted {
            Ok(emission) => {
                assert_eq!(emission.report().ran(), 1);
                let heard = heard.expect("it was delivered");
                let same: Order = serde_json::from_slice(&payload).expect("it is readable");
                assert_eq!(heard, same);
            }
            Err(error) => {
                assert_eq!(heard, None, "{error}");
                assert!(!error.to_string().is_empty());
            }
        }
    });
}

#[test]
fn what_is_read_is_taken_out_of_the_buffer_at_once() {
    let mut inlet = Inlet::new(MAX);
    let mut buffer = BytesMut::from(&PREFACE[..]);
    let mut random = Rng::with_seed(1);
    let mut most = 0;

    for _ in 0..10_000 {
        let mut bytes = frames(&mut random);
        while bytes.has_remaining() {
            let piece = random.usize(1..200).min(bytes.len());
            buffer.extend_from_slice(&bytes.split_to(piece));
            while inlet.next(&mut buffer).unwrap().is_some() {}
        }
        most = most.max(buffer.capacity());
    }

    assert!(most <= 4 * MAX, "{most}");
}
