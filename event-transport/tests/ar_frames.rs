//! Frames out of the bytes of a connection, clause by clause.

mod support;

use std::collections::VecDeque;
use std::error::Error;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use support::{Flag, Log, failures, pause, run};
use tidings::transport::{
    AfterEof, ConnectionLost, DataReceived, EofReceived, Frames, Transport, WriteLimits,
    WriteState, connect, connect_with, pair,
};
use tidings::{EventLoop, protocol};
use tokio_util::codec::{Decoder, LengthDelimitedCodec, LinesCodec};

/// Writes down the lines that come, and how the connection ended.
struct Lines {
    frames: Frames<LinesCodec>,
    log: Log,
}

#[protocol]
impl Lines {
    #[listener]
    fn data(&mut self, e: &DataReceived) -> Result<(), Box<dyn Error + Send + Sync>> {
        for line in self.frames.feed(&e.data) {
            self.log.add(line?);
        }
        Ok(())
    }

    #[listener]
    fn eof(&mut self, _: &EofReceived) -> Result<AfterEof, Box<dyn Error + Send + Sync>> {
        for line in self.frames.end() {
            self.log.add(line?);
        }
        Ok(AfterEof::Close)
    }

    #[listener]
    fn lost(&mut self, e: &ConnectionLost) {
        let error = e.error.as_ref().map(ToString::to_string);
        self.log.add(error.unwrap_or_else(|| "lost".to_owned()));
    }
}

/// Sends the pieces, and gives what the protocol wrote down and what the loop's hook was told.
fn lines_of(max: usize, pieces: &[&str]) -> (Vec<String>, Vec<String>) {
    let lp = EventLoop::virtual_time();
    let told = failures(&lp);
    let log = Log::default();
    let own = log.clone();
    run(&lp, async {
        let (ours, theirs) = pair();
        let lines = move || Lines {
            frames: Frames::new(LinesCodec::new_with_max_length(max)),
            log: own,
        };
        let (reader, _) = connect_with(&lp, theirs, lines).await?;
        let (writer, _) = connect::<support::Silent>(&lp, ours).await?;
        for piece in pieces {
            writer.write(piece.as_bytes().to_vec())?;
            pause(&lp).await;
            if reader.is_closing() {
                break;
            }
        }
        writer.close();
        reader.wait_closed().await;
        Ok(())
    });
    (log.take(), told.take())
}

#[test]
fn ar01_lines_are_cut_however_the_bytes_come() {
    let text = "one\r\ntwo\n\nthree";
    let whole = ["one", "two", "", "three", "lost"];
    assert_eq!(
        lines_of(100, &[text]),
        (whole.map(String::from).to_vec(), vec![])
    );
    let bytes: Vec<_> = (0..text.len()).map(|at| &text[at..=at]).collect();
    assert_eq!(
        lines_of(100, &bytes),
        (whole.map(String::from).to_vec(), vec![])
    );
    assert_eq!(lines_of(100, &[]), (vec!["lost".to_owned()], vec![]));
}

#[test]
fn ar01_a_frame_that_is_not_whole_at_the_end_is_an_error_with_what_there_was() {
    let mut frames = Frames::new(LengthDelimitedCodec::new());
    let frame = frames.feed(b"\0\0\0\x03abc\0\0\0\x05de").next();
    assert_eq!(frame.unwrap().unwrap(), "abc");
    assert!(frames.next().is_none());
    // The length of the second frame is read.
    assert_eq!(frames.waiting(), 2);
    let error = frames.end().next().unwrap().unwrap_err();
    assert!(error.to_string().contains("bytes remaining"), "{error}");
    assert!(frames.next().is_none());
}

#[test]
fn ar02_a_line_that_is_too_long_ends_the_connection_with_words() {
    for pieces in [
        ["ok\n123456789\nnever\n"].as_slice(),
        &["ok\n", "1234", "5678", "9\nnever\n"],
    ] {
        let (log, told) = lines_of(8, pieces);
        let words = "a listener of the protocol failed: max line length exceeded";
        assert_eq!(log, ["ok", words]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("Lines::data"), "{told:?}");
        assert!(told[0].contains("max line length exceeded"), "{told:?}");
    }
}

#[test]
fn ar02_what_waits_for_its_end_is_bounded_also_if_the_decoder_bounds_nothing() {
    let mut frames = Frames::new(LinesCodec::new()).limit(8);
    assert!(frames.feed(b"12345678").next().is_none());
    let error = frames.feed(b"9").next().unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "9 bytes wait for the end of their frame, and the limit is 8"
    );
    assert_eq!(frames.waiting(), 0);
    assert!(frames.feed(b"\nmore\n").next().is_none());

    // The limit is for one frame, and not for what came at once.
    let mut frames = Frames::new(LinesCodec::new()).limit(8);
    let many = "1234567\n".repeat(1000);
    assert_eq!(frames.feed(many.as_bytes()).count(), 1000);

    let mut frames = Frames::new(LinesCodec::new());
    assert!(frames.feed(&vec![b'x'; 65_536]).next().is_none());
    assert!(frames.feed(b"x").next().unwrap().is_err());
}

/// A decoder that refuses everything and takes nothing out.
struct Stubborn;

impl Decoder for Stubborn {
    type Item = Bytes;
    type Error = std::io::Error;

    fn decode(&mut self, _: &mut BytesMut) -> Result<Option<Bytes>, std::io::Error> {
        Err(std::io::ErrorKind::InvalidData.into())
    }
}

#[test]
fn ar02_after_an_error_there_are_no_frames() {
    let mut frames = Frames::new(Stubborn);
    assert_eq!(frames.feed(b"bytes").filter(Result::is_err).count(), 1);
    assert_eq!(frames.feed(b"bytes").count(), 0);
    assert_eq!((frames.end().count(), frames.waiting()), (0, 0));
}

/// Has lines wait for somebody who takes them, and reads no more while there are too many.
struct Desk {
    frames: Frames<LinesCodec>,
    waiting: VecDeque<String>,
    most: usize,
    held_up: Flag,
}

impl Desk {
    /// Takes frames out while there is room.
    fn fill(&mut self, t: &Transport) -> Result<(), Box<dyn Error + Send + Sync>> {
        while self.waiting.len() < 4 {
            let Some(line) = self.frames.next() else {
                t.resume_reading();
                return Ok(());
            };
            self.waiting.push_back(line?);
        }
        self.most = self.most.max(self.waiting.len());
        self.held_up.set(true);
        t.pause_reading();
        Ok(())
    }
}

#[protocol]
impl Desk {
    #[listener]
    fn data(
        &mut self,
        e: &DataReceived,
        t: &Transport,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.frames.feed(&e.data);
        self.fill(t)
    }
}

#[test]
fn ar02_reading_pauses_while_nobody_takes_the_lines() {
    const LINES: usize = 200_000;
    let lp = EventLoop::virtual_time();
    let held_up = Flag::default();
    let own = Rc::clone(&held_up);
    run(&lp, async {
        let (ours, theirs) = pair();
        let desk = move || Desk {
            frames: Frames::new(LinesCodec::new_with_max_length(100)),
            waiting: VecDeque::new(),
            most: 0,
            held_up: own,
        };
        let (reader, desk) = connect_with(&lp, theirs, desk).await?;
        let to = connect::<support::Silent>(&lp, ours);
        let (writer, _) = to.write_limits(WriteLimits::high(64 * 1024)).await?;
        // Somebody who writes as fast as the pressure allows.
        let peer = writer.clone();
        let writing = lp.spawn(async move {
            for number in 0..LINES {
                if peer.write(format!("{number}\n"))? == WriteState::OverHigh {
                    peer.writable().await?;
                }
            }
            Ok::<_, tidings::transport::WriteError>(())
        })?;
        while !held_up.get() {
            pause(&lp).await;
        }
        // Nothing is taken, so nothing is read, and the peer waits.
        for _ in 0..100 {
            pause(&lp).await;
        }
        assert!(!reader.is_reading());
        assert!(writer.write_buffer_size() > 64 * 1024);
        let held = desk.with(|desk| desk.frames.waiting())?;
        assert!(held <= 256 * 1024, "{held}");

        let mut taken = 0;
        while taken < LINES {
            let lines = desk.with(|desk| {
                let lines: Vec<_> = desk.waiting.drain(..).collect();
                desk.fill(&reader).map(|()| lines)
            })?;
            for line in lines.map_err(|error| error.to_string())? {
                assert_eq!(line, taken.to_string());
                taken += 1;
            }
            lp.next_turn().await;
        }
        writing.await??;
        assert_eq!(desk.with(|desk| desk.most)?, 4);
        Ok(())
    });
}
