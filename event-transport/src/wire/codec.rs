//! How the payload of an event is written and read.

use std::error::Error;
use std::fmt;

use event_core::{AnyEvent, Bus, Emission};

use crate::words::debug_as_display;

/// How payloads are written and read. Both sides of a link must have the same.
pub trait Codec: fmt::Debug + Send + Sync + 'static {
    /// The name of the form, which the handshake compares.
    fn content_type(&self) -> &'static str;

    /// Adds the payload of an event to `out`.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if the event has no such form.
    fn write(&self, event: &AnyEvent<'_>, out: &mut Vec<u8>) -> Result<(), CodecError>;

    /// Emits the event that a payload is.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if the payload does not fit. Nothing is delivered then.
    fn emit(&self, bus: &Bus, topic: &str, payload: &[u8]) -> Result<Emission, CodecError>;
}

/// A payload that was not written or read.
pub struct CodecError(Box<dyn Error + Send + Sync>);

impl CodecError {
    /// With the reason.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

debug_as_display!(CodecError);

impl Error for CodecError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// Payloads as JSON, the form of every event declared `#[event(serde)]`.
///
/// ```standalone_crate
/// use event_transport::wire::{Codec, Json};
/// use serde::{Deserialize, Serialize};
/// use tidings::{Bus, event, listener};
///
/// #[event("chat.say", serde)]
/// #[derive(Serialize, Deserialize)]
/// struct Say {
///     text: String,
/// }
///
/// #[listener]
/// fn hear(e: &Say) {
///     assert_eq!(e.text, "hello");
/// }
///
/// let bus = Bus::builder().build()?;
/// assert_eq!(Json.emit(&bus, "chat.say", br#"{"text":"hello"}"#)?.report().ran(), 1);
///
/// let error = Json.emit(&bus, "chat.say", br#"{"text":1}"#).unwrap_err();
/// assert!(error.to_string().contains("`text`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

impl Codec for Json {
    fn content_type(&self) -> &'static str {
        "application/json"
    }

    fn write(&self, event: &AnyEvent<'_>, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let text = event.to_json().map_err(CodecError::new)?;
        if out.is_empty() {
            *out = text.into_bytes();
        } else {
            out.extend_from_slice(text.as_bytes());
        }
        Ok(())
    }

    fn emit(&self, bus: &Bus, topic: &str, payload: &[u8]) -> Result<Emission, CodecError> {
        let text = std::str::from_utf8(payload).map_err(CodecError::new)?;
        bus.emit_json(topic, text).map_err(CodecError::new)
    }
}
