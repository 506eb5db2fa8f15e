//! From bytes to frames.

use bytes::{Buf, Bytes, BytesMut};
use tokio_util::codec::{Decoder, LengthDelimitedCodec};

use super::frame::{Head, Kind};
use crate::wire::error::WireError;

/// What both sides send first.
pub const PREFACE: [u8; 8] = *b"tidings\x01";
/// The version of the protocol, the last byte of the preface.
const VERSION: u8 = PREFACE[PREFACE.len() - 1];

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub head: Head,
    pub payload: Bytes,
}

/// Takes the preface and then frames out of a buffer.
#[derive(Debug)]
pub struct Inlet {
    codec: LengthDelimitedCodec,
    begun: bool,
    in_frame: bool,
}

impl Inlet {
    /// Frames of at most `max` bytes, after the preface.
    pub fn new(max: usize) -> Self {
        let codec = LengthDelimitedCodec::builder()
            .max_frame_length(max)
            .new_codec();
        Self {
            codec,
            begun: false,
            in_frame: false,
        }
    }

    /// From the next frame on.
    pub fn set_max(&mut self, max: usize) {
        self.codec.set_max_frame_length(max);
    }

    /// Whether a frame has begun and is not whole.
    pub fn is_in_frame(&self) -> bool {
        self.in_frame
    }

    /// The next whole frame, which is taken out of the buffer; nothing if it is not there yet.
    ///
    /// # Errors
    ///
    /// What the peer did wrong. The buffer is of no use then.
    pub fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, WireError> {
        if !self.begun {
            if !preface(buffer)? {
                return Ok(None);
            }
            self.begun = true;
        }
        // The only error of this codec: a length field has always four bytes.
        let max = self.codec.max_frame_length();
        let more = !buffer.is_empty();
        let frame = self.codec.decode(buffer);
        let frame = frame.map_err(|_| WireError::FrameTooLong { max })?;
        self.in_frame = frame.is_none() && (self.in_frame || more);
        frame.map(|frame| read(&frame.freeze())).transpose()
    }
}

/// Whether the preface is there; a wrong byte is noticed as soon as it comes.
fn preface(buffer: &mut BytesMut) -> Result<bool, WireError> {
    let there = buffer.len().min(PREFACE.len());
    let (magic, version) = buffer[..there].split_at(there.min(PREFACE.len() - 1));
    if magic != &PREFACE[..magic.len()] {
        return Err(WireError::NotAPeer(buffer[..there].to_vec()));
    }
    match version {
        [] => Ok(false),
        [VERSION] => {
            buffer.advance(PREFACE.len());
            Ok(true)
        }
        [theirs, ..] => Err(WireError::ProtocolVersion {
            ours: VERSION,
            theirs: *theirs,
        }),
    }
}

fn read(frame: &Bytes) -> Result<Frame, WireError> {
    let Some(first) = frame.first() else {
        return Err(WireError::EmptyFrame);
    };
    let kind = Kind::of(*first).ok_or(WireError::UnknownKind(*first))?;
    let malformed = |why: String| WireError::Malformed { kind, why };
    let (head, rest) = postcard::take_from_bytes::<Head>(frame)
        .map_err(|error| malformed(words(&error).to_owned()))?;
    if !rest.is_empty() && !kind.has_payload() {
        return Err(malformed(format!("{} bytes are left over", rest.len())));
    }
    let payload = frame.slice(frame.len() - rest.len()..);
    Ok(Frame { head, payload })
}

fn words(error: &postcard::Error) -> &'static str {
    match error {
        postcard::Error::DeserializeUnexpectedEnd => "it ends too early",
        postcard::Error::DeserializeBadUtf8 => "a text in it is not UTF-8",
        postcard::Error::DeserializeBadVarint => "a number in it has no end",
        _ => "a field in it has a value that it may not have",
    }
}
