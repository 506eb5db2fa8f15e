//! Frames out of bytes.

use std::fmt;
use std::io;

use bytes::BytesMut;
use tokio_util::codec::Decoder;

/// What waits for its end, unless a limit is set.
const LIMIT: usize = 64 * 1024;

/// Makes frames, such as lines, of the bytes of a connection, with a decoder of `tokio_util::codec`. A protocol has one in its instance, and feeds it with
/// what comes; what is no whole frame yet is kept.
///
/// A frame is bounded: more than 64 KiB that are no frame yet, or what [`limit`](Self::limit) says, are an error, and so is what the decoder refuses. A
/// listener that returns it ends the connection. There are no more frames after an error.
///
/// ```
/// use std::error::Error;
/// use tidings::transport::{AfterEof, DataReceived, EofReceived, Frames, Transport, connect, pair};
/// use tidings::{EventLoop, protocol};
/// use tokio_util::codec::LinesCodec;
///
/// /// Answers each line with its length.
/// struct Lengths(Frames<LinesCodec>);
///
/// impl Default for Lengths {
///     fn default() -> Self {
///         Self(Frames::new(LinesCodec::new_with_max_length(1024)))
///     }
/// }
///
/// #[protocol]
/// impl Lengths {
///     #[listener]
///     fn data(&mut self, e: &DataReceived, t: &Transport) -> Result<(), Box<dyn Error + Send + Sync>> {
///         for line in self.0.feed(&e.data) {
///             t.write(format!("{}\n", line?.len()))?;
///         }
///         Ok(())
///     }
///
///     #[listener]
///     fn eof(&mut self, _: &EofReceived, t: &Transport) -> Result<(), Box<dyn Error + Send + Sync>> {
///         // The last line needs no end.
///         for line in self.0.end() {
///             t.write(format!("{}\n", line?.len()))?;
///         }
///         Ok(())
///     }
/// }
///
/// #[derive(Default)]
/// struct Client(Vec<u8>);
///
/// #[protocol]
/// impl Client {
///     #[listener]
///     fn data(&mut self, e: &DataReceived) {
///         self.0.extend_from_slice(&e.data);
///     }
///
///     #[listener]
///     fn eof(_: &EofReceived) -> AfterEof {
///         AfterEof::Close
///     }
/// }
///
/// let lp = EventLoop::virtual_time();
/// let (ours, theirs) = pair();
/// let answer = lp.run_until_complete(async {
///     let _lengths = connect::<Lengths>(&lp, theirs).await?;
///     let (t, client) = connect::<Client>(&lp, ours).await?;
///     for piece in ["one\nth", "ree\nfo", "ur"] {
///         t.write(piece)?;
///     }
///     t.write_eof();
///     t.wait_closed().await;
///     Ok::<_, Box<dyn Error>>(client.with(|client| client.0.clone())?)
/// })??;
/// assert_eq!(answer, b"3\n5\n4\n");
/// # Ok::<(), Box<dyn Error>>(())
/// ```
pub struct Frames<D> {
    decoder: D,
    buffer: BytesMut,
    limit: usize,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// No more bytes come.
    Ended,
    Failed,
}

impl<D: Decoder> Frames<D> {
    /// Frames of this decoder.
    pub fn new(decoder: D) -> Self {
        Self {
            decoder,
            buffer: BytesMut::new(),
            limit: LIMIT,
            stage: Stage::Open,
        }
    }

    /// How many bytes may wait for the end of their frame; 65,536 unless set. Many decoders have a limit of their own, which is to be no higher.
    #[must_use]
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Takes bytes in, and gives itself, to take the frames out: it is an iterator. What is not taken out is there the next time.
    pub fn feed(&mut self, data: &[u8]) -> &mut Self {
        if self.stage == Stage::Open {
            self.buffer.extend_from_slice(data);
        }
        self
    }

    /// No more bytes come: the decoder decides whether what waits is a frame or an error.
    pub fn end(&mut self) -> &mut Self {
        if self.stage == Stage::Open {
            self.stage = Stage::Ended;
        }
        self
    }

    /// How many bytes have come that were in no frame so far.
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// The decoder.
    pub fn decoder(&self) -> &D {
        &self.decoder
    }

    fn fail(&mut self, error: D::Error) -> Result<D::Item, D::Error> {
        self.stage = Stage::Failed;
        self.buffer = BytesMut::new();
        Err(error)
    }
}

impl<D: Decoder> Iterator for Frames<D> {
    type Item = Result<D::Item, D::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let decoded = match self.stage {
            Stage::Open => self.decoder.decode(&mut self.buffer),
            Stage::Ended => self.decoder.decode_eof(&mut self.buffer),
            Stage::Failed => return None,
        };
        match decoded {
            Ok(Some(frame)) => Some(Ok(frame)),
            Ok(None) if self.buffer.len() > self.limit => {
                let (waiting, limit) = (self.buffer.len(), self.limit);
                let message = format!(
                    "{waiting} bytes wait for the end of their frame, and the limit is {limit}"
                );
                Some(self.fail(io::Error::new(io::ErrorKind::InvalidData, message).into()))
            }
            Ok(None) => None,
            Err(error) => Some(self.fail(error)),
        }
    }
}

impl<D: fmt::Debug> fmt::Debug for Frames<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames")
            .field("decoder", &self.decoder)
            .field("waiting", &self.buffer.len())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
