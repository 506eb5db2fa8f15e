//! What two programs must agree on to exchange an event.

use std::fmt;

use event_core::EventInfo;
use serde::{Deserialize, Serialize};

/// The longest text of a shape. What is longer ends with a hash of the whole.
const MOST: usize = 512;

/// The fields and types of an event, and those of its reply, as one text that two programs compare.
///
/// It is a text and not a number so that an error can name the field. Paths do not count: `std::string::String` is `String`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape(String);

impl Shape {
    /// The shape of an event that is linked into the program.
    ///
    /// ```standalone_crate
    /// use event_transport::wire::Shape;
    /// use tidings::event;
    ///
    /// #[event("chat.say")]
    /// struct Say {
    ///     who: std::string::String,
    ///     text: String,
    /// }
    ///
    /// let shape = Shape::of(tidings::catalog().events()[0]);
    /// assert_eq!(shape.to_string(), "who: String, text: String");
    /// ```
    #[must_use]
    pub fn of(event: &EventInfo) -> Self {
        let fields = event.fields().iter();
        let fields: Vec<String> = fields
            .map(|field| match field.ty() {
                "" => field.name().to_owned(),
                ty => format!("{}: {}", field.name(), without_paths(ty)),
            })
            .collect();
        let mut text = fields.join(", ");
        if let Some(reply) = event.reply() {
            text.push_str(" -> ");
            text.push_str(&without_paths(reply));
        }
        Self(bounded(text))
    }

    /// A shape that is described elsewhere, as for a program in another language.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(bounded(text.into()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn without_paths(ty: &str) -> String {
    let mut text = String::with_capacity(ty.len());
    let mut rest = ty;
    while let Some(at) = rest.find("::") {
        text.push_str(&rest[..at]);
        let name = text.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
        text.truncate(name.len());
        rest = &rest[at + 2..];
    }
    text.push_str(rest);
    text
}

fn bounded(text: String) -> String {
    if text.len() <= MOST {
        return text;
    }
    let hash = fnv1a(text.as_bytes());
    let mut ends = (0..=MOST - 24).rev();
    let end = ends.find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{} .. #{hash:016x}", &text[..end])
}

/// FNV-1a of 64 bits: the standard library's hashes may change with any release.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// One event that a side sends or wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The event's topic.
    pub topic: String,
    /// The version of its shape.
    pub version: u32,
    /// Its fields and types.
    pub shape: Shape,
}

impl Offer {
    /// Of an event that is linked into the program.
    #[must_use]
    pub fn of(event: &EventInfo) -> Self {
        Self {
            topic: event.topic().to_owned(),
            version: event.version(),
            shape: Shape::of(event),
        }
    }
}

/// What one side knows of the event, as in `v2 (who: String)`.
impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape: String = self.shape.as_str().escape_debug().take(MOST).collect();
        write!(f, "v{} ({shape})", self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_do_not_count() {
        let text = without_paths("Vec<std::option::Option<crate::Money>>, [a::B; 2]");

        assert_eq!(text, "Vec<Option<Money>>, [B; 2]");
    }

    #[test]
    fn a_long_shape_is_bounded_and_still_tells_apart() {
        let long = |last: &str| bounded(format!("{}{last}", "é: String, ".repeat(200)));

        assert!(long("a").len() <= MOST);
        assert_ne!(long("a"), long("b"));
        assert_eq!(long("a"), long("a"));
    }
}
