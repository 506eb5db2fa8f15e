//! Frames that are none: each with its own error.
#![cfg(feature = "wire")]

use bytes::{BufMut, BytesMut};
use event_transport::wire::proto::frame::Head;
use event_transport::wire::proto::greeter::Greeter;
use event_transport::wire::proto::inlet::{Frame, Inlet, PREFACE};
use event_transport::wire::{EventId, Kind, Limits, WireError};

const MAX: usize = 4096;

fn begun() -> Inlet {
    let mut inlet = Inlet::new(MAX);
    let mut preface = BytesMut::from(&PREFACE[..]);
    assert_eq!(inlet.next(&mut preface), Ok(None));
    inlet
}

/// What a frame with this length field, and these bytes after it, is taken for.
fn with_length(length: u32, bytes: &[u8]) -> Result<Option<Frame>, WireError> {
    let mut buffer = BytesMut::new();
    buffer.put_u32(length);
    buffer.put_slice(bytes);
    begun().next(&mut buffer)
}

fn event(payload: &[u8]) -> BytesMut {
    use event_transport::wire::proto::frame::{EventHead, Meta};

    let meta = Meta {
        id: EventId::new(u64::MAX, u64::MAX),
        micros: u64::MAX,
        cause: Some(EventId::new(u64::MAX, u64::MAX)),
        trace: Some(EventId::new(u64::MAX, u64::MAX)),
        hops: u8::MAX,
    };
    let head = EventHead {
        sequence: u64::MAX,
        offer: u32::MAX,
        meta,
    };
    let mut bytes = BytesMut::new();
    Head::Event(head).write(payload, &mut bytes);
    bytes
}

#[test]
fn a_frame_of_no_bytes_is_named() {
    assert_eq!(with_length(0, &[]), Err(WireError::EmptyFrame));
}

#[test]
fn a_frame_of_the_longest_length_is_taken_and_one_byte_more_is_not() {
    let head = event(&[]).len() - 4;
    let mut longest = event(&vec![b'x'; MAX - head]);
    let mut longer = event(&vec![b'x'; MAX - head + 1]);

    let frame = begun().next(&mut longest).unwrap().unwrap();

    assert_eq!(frame.payload.len(), MAX - head);
    assert!(longest.is_empty());
    assert_eq!(
        begun().next(&mut longer),
        Err(WireError::FrameTooLong { max: MAX })
    );
}

#[test]
fn a_length_of_four_gibibytes_is_refused_before_anything_is_reserved() {
    let mut buffer = BytesMut::new();
    buffer.put_u32(u32::MAX);

    let refused = begun().next(&mut buffer);

    assert_eq!(refused, Err(WireError::FrameTooLong { max: MAX }));
    assert!(buffer.capacity() <= MAX);
}

#[test]
fn a_frame_that_ends_at_any_byte_waits_for_the_rest() {
    let whole = event(b"{\"text\":\"hello\"}");

    for end in 0..whole.len() {
        let mut inlet = begun();
        let mut buffer = BytesMut::from(&whole[..end]);
        assert_eq!(inlet.next(&mut buffer), Ok(None), "{end} bytes");
        buffer.extend_from_slice(&whole[end..]);
        let frame = inlet.next(&mut buffer).unwrap().unwrap();
        assert_eq!(&frame.payload[..], b"{\"text\":\"hello\"}", "{end} bytes");
    }
}

#[test]
fn a_head_that_is_cut_anywhere_is_malformed() {
    let whole = event(&[]);
    let head = &whole[4..];

    for end in 1..head.len() {
        let cut = with_length(u32::try_from(end).unwrap(), &head[..end]);
        let Err(WireError::Malformed { kind, why }) = cut else {
            panic!("{end} bytes: {cut:?}");
        };
        assert_eq!(kind, Kind::Event);
        assert_eq!(why, "it ends too early");
    }
}

#[test]
fn the_head_of_an_event_is_within_what_it_is_reckoned_with() {
    assert!(event(&[]).len() - 4 <= 128);
}

#[test]
fn a_kind_that_there_is_not_is_named() {
    for kind in 14..=u8::MAX {
        assert_eq!(
            with_length(2, &[kind, 0]),
            Err(WireError::UnknownKind(kind))
        );
    }
}

#[test]
fn what_is_left_over_after_a_head_is_named() {
    let mut ping = BytesMut::new();
    Head::Ping(1).write(b"xyz", &mut ping);

    let error = begun().next(&mut ping).unwrap_err();

    assert_eq!(
        error.to_string(),
        "the peer sent a Ping frame that is none: 3 bytes are left over"
    );
}

#[test]
fn texts_and_numbers_that_are_none_are_named() {
    // A hello whose name is not UTF-8, and an acknowledgement whose number does not end.
    let text = with_length(3, &[0, 1, 0xff]).unwrap_err();
    let number = with_length(
        11,
        &[
            4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        ],
    );

    assert!(
        text.to_string().ends_with("a text in it is not UTF-8"),
        "{text}"
    );
    let number = number.unwrap_err().to_string();
    assert!(number.ends_with("a number in it has no end"), "{number}");
}

#[test]
fn a_list_that_claims_more_than_there_is_takes_no_memory_for_it() {
    // A hello of an empty name, session 0, origin 0, no proof, and a content type of 2^28 bytes.
    let text = [0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f];
    // One of a proof without a name, whose tag has as many bytes.
    let tag = [0, 0, 0, 0, 1, 0, 0xff, 0xff, 0xff, 0x7f];

    for (length, bytes) in [(9, &text[..]), (10, &tag[..])] {
        let error = with_length(length, bytes).unwrap_err();
        assert!(error.to_string().ends_with("it ends too early"), "{error}");
    }
}

#[test]
fn a_stream_that_begins_otherwise_is_named_at_the_first_wrong_byte() {
    let cases: [(&[u8], &str); 5] = [
        (b"GET / HTTP/1.1\r\n", "which is HTTP"),
        (b"\x16\x03\x01\x02\x00", "which is TLS"),
        (b"tidinGs\x01", "is the address right?"),
        (b"x", "is the address right?"),
        (b"\0\0\0\0", "is the address right?"),
    ];
    for (bytes, words) in cases {
        let mut buffer = BytesMut::from(bytes);
        let error = Inlet::new(MAX).next(&mut buffer).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn another_version_of_the_protocol_is_named() {
    let mut buffer = BytesMut::from(&b"tidings\x02"[..]);

    let error = Inlet::new(MAX).next(&mut buffer).unwrap_err();

    assert_eq!(error, WireError::ProtocolVersion { ours: 1, theirs: 2 });
}

#[test]
fn who_is_not_let_in_may_only_send_short_frames() {
    let limits = Limits::default().max_handshake(1024);
    let mut greeter = Greeter::new(limits, std::time::Instant::now());
    let mut buffer = BytesMut::from(&PREFACE[..]);
    buffer.put_u32(1025);

    let error = greeter.receive(&mut buffer).unwrap_err();

    assert_eq!(error, WireError::FrameTooLong { max: 1024 });
    assert!(error.to_string().contains("max_handshake"));
}

#[test]
fn who_is_not_let_in_may_only_say_hello() {
    let mut greeter = Greeter::new(Limits::default(), std::time::Instant::now());
    let mut buffer = BytesMut::from(&PREFACE[..]);
    Head::Ping(1).write(&[], &mut buffer);

    let error = greeter.receive(&mut buffer).unwrap_err();

    assert_eq!(
        error.to_string(),
        "the peer sent a Ping frame before its hello"
    );
}

#[test]
fn a_head_of_any_kind_that_is_cut_anywhere_is_malformed() {
    use event_transport::wire::proto::frame::{
        Fault, Hello, Meta, Refusal, Rejection, RequestHead,
    };
    use event_transport::wire::{Offer, Right, Shape};

    let offer = || Offer {
        topic: "chat.say".to_owned(),
        version: 1,
        shape: Shape::from_text("text: String"),
    };
    let hello = || {
        Box::new(Hello {
            link: "chat".to_owned(),
            session: u64::MAX,
            origin: 7,
            proof: None,
            content_type: "application/json".to_owned(),
            offers: vec![offer(), offer()],
            wants: vec![offer()],
            max_frame: 1 << 20,
            receive: 1 << 22,
            requests: 64,
            heartbeat_ms: 10_000,
            seen: None,
        })
    };
    let request = RequestHead {
        call: 300,
        offer: 1,
        within_ms: 1000,
        meta: Meta {
            id: EventId::new(7, 300),
            micros: 1_700_000_000_000_000,
            cause: None,
            trace: None,
            hops: 0,
        },
    };
    let missing = vec![(Right::Publish, "chat.say".to_owned())];
    let heads = [
        Head::Hello(hello()),
        Head::Welcome(hello()),
        Head::Refuse(Box::new(Refusal::NotAllowed("bob".to_owned(), missing))),
        Head::Refuse(Box::new(Refusal::Mismatch(vec![(
            Right::Subscribe,
            offer(),
        )]))),
        Head::Ack { upto: 300 },
        Head::Reject {
            sequence: 300,
            why: Rejection::Payload("no".to_owned()),
        },
        Head::Request(request),
        Head::Reply { call: 300 },
        Head::Fault {
            call: 300,
            fault: Fault::Failed("no".to_owned()),
        },
        Head::Credit { upto: 300 },
        Head::Ping(300),
        Head::Pong(300),
        Head::GiveUp { call: 300 },
    ];
    for head in heads {
        let mut whole = BytesMut::new();
        head.write(&[], &mut whole);
        let bytes = &whole[4..];
        for end in 1..bytes.len() {
            let cut = with_length(u32::try_from(end).unwrap(), &bytes[..end]);
            let Err(WireError::Malformed { kind, why }) = cut else {
                panic!("{head:?}, {end} bytes: {cut:?}");
            };
            assert_eq!((kind, &*why), (head.kind(), "it ends too early"));
        }
        let whole = with_length(u32::try_from(bytes.len()).unwrap(), bytes);
        assert_eq!(whole.unwrap().unwrap().head, head);
    }
}
