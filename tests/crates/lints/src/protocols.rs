//! Protocols: with and without an instance, state and the delivery.

use tidings::transport::{
    AfterEof, ConnectionLost, ConnectionMade, DataReceived, EofReceived, Transport, WriteError,
    WritingPaused, WritingResumed,
};
use tidings::{Context, protocol};

/// Sends back what comes.
#[derive(Debug, Default)]
pub struct Echo {
    bytes: usize,
    paused: bool,
}

#[protocol]
impl Echo {
    /// How much came.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    #[listener]
    fn made(_: &ConnectionMade, t: &Transport) {
        t.pause_reading();
        t.resume_reading();
    }

    #[listener]
    fn data(&mut self, e: &DataReceived, t: &Transport) -> Result<(), WriteError> {
        self.bytes += e.data.len();
        t.write(e.data.clone())?;
        Ok(())
    }

    /// Keeps the other direction.
    #[listener]
    fn eof(&self, _: &EofReceived, greeting: Option<&str>) -> AfterEof {
        if self.paused && greeting.is_some_and(|text| text.contains(' ')) {
            AfterEof::KeepWriting
        } else {
            AfterEof::Close
        }
    }

    #[listener]
    fn paused(&mut self, _: &WritingPaused, t: &Transport) {
        self.paused = !t.is_closing();
    }

    #[listener]
    fn resumed(&mut self, _: &WritingResumed, reason: &str, cx: Context<'_>) {
        self.paused = reason.len() < cx.depth();
    }

    #[listener]
    fn lost(&mut self, e: &ConnectionLost) -> Result<(), String> {
        self.bytes = 0;
        e.error
            .as_ref()
            .map_or(Ok(()), |error| Err(error.to_string()))
    }
}
