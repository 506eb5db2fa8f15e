//! The grammar of topics and patterns, as `const` functions.
//!
//! A topic is 1 to 16 segments joined by `.`, a segment is one or more of `A-Z a-z 0-9 _ -`. A pattern may use `*` for exactly one
//! segment and `**`, only last, for one or more. The same matcher serves the compiler (through the checks that `#[listener]` generates)
//! and the running program, so the two cannot disagree.

use std::fmt;

/// The most segments a topic may have.
const MAX_SEGMENTS: usize = 16;
/// The most bytes a topic may have.
const MAX_BYTES: usize = 255;

/// What keeps a text from being a topic or a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatternErrorKind {
    /// The text is empty, or two dots stand together, or a dot stands first or last.
    EmptySegment,
    /// A character that no segment may contain.
    Character(char),
    /// More than 16 segments.
    TooManySegments,
    /// More than 255 bytes.
    TooLong,
    /// A `*` that is not a whole segment, or a `**` that is not the last one.
    Wildcard,
}

/// A text that is no pattern, given to [`Bus::on_topic`](crate::Bus::on_topic).
///
/// ```standalone_crate
/// let bus = tidings::Bus::empty();
/// let error = bus.on_topic("orders..placed", |_| {}).unwrap_err();
/// assert_eq!(error.to_string(), "`orders..placed` is not a pattern: it has an empty segment at byte 7");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PatternError {
    text: String,
    kind: PatternErrorKind,
    at: usize,
}

impl PatternError {
    /// What is wrong.
    pub fn kind(&self) -> PatternErrorKind {
        self.kind
    }

    /// The byte of the text where it is wrong.
    pub fn at(&self) -> usize {
        self.at
    }
}

impl PatternError {
    fn reason(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            PatternErrorKind::EmptySegment => {
                write!(f, "it has an empty segment at byte {}", self.at)
            }
            PatternErrorKind::Character(c) => write!(
                f,
                "`{}` at byte {} may not stand in a segment; use A-Z a-z 0-9 _ -",
                c.escape_debug(),
                self.at
            ),
            PatternErrorKind::TooManySegments => {
                write!(f, "it has more than {MAX_SEGMENTS} segments")
            }
            PatternErrorKind::TooLong => write!(f, "it has more than {MAX_BYTES} bytes"),
            PatternErrorKind::Wildcard => write!(
                f,
                "the `*` at byte {} must be a whole segment, or `**` as the last one",
                self.at
            ),
        }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a pattern: ", self.text)?;
        self.reason(f)
    }
}

/// The same text as `Display`, since `unwrap` and a `main` that returns an error print this one.
impl fmt::Debug for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no topic, without the text, which may be anything.
struct Reason(PatternError);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.reason(f)
    }
}

impl std::error::Error for PatternError {}

/// A checked pattern.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct Pattern(String);

impl Pattern {
    /// # Errors
    ///
    /// [`PatternError`] if the text is no pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        refuse(text, true).map_or_else(|| Ok(Self(text.to_owned())), Err)
    }

    /// Why a text that came from elsewhere is no topic.
    pub fn not_a_topic(text: &str) -> Option<String> {
        refuse(text, false).map(|error| Reason(error).to_string())
    }

    pub fn matches(&self, topic: &str) -> bool {
        matches(&self.0, topic)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn refuse(text: &str, wildcards: bool) -> Option<PatternError> {
    let (at, kind) = check(text, wildcards)?;
    Some(PatternError {
        text: text.to_owned(),
        kind: name_character(text, at, kind),
        at,
    })
}

/// A `const fn` sees bytes only; the message names the whole character.
fn name_character(text: &str, at: usize, kind: PatternErrorKind) -> PatternErrorKind {
    match kind {
        PatternErrorKind::Character(_) => {
            let start = (0..=at)
                .rev()
                .find(|&i| text.is_char_boundary(i))
                .unwrap_or(0);
            PatternErrorKind::Character(
                text[start..]
                    .chars()
                    .next()
                    .unwrap_or(char::REPLACEMENT_CHARACTER),
            )
        }
        other => other,
    }
}

/// The first thing that keeps `text` from being a topic (or, with `wildcards`, a pattern), and its byte.
pub(crate) const fn check(text: &str, wildcards: bool) -> Option<(usize, PatternErrorKind)> {
    let bytes = text.as_bytes();
    if bytes.len() > MAX_BYTES {
        return Some((MAX_BYTES, PatternErrorKind::TooLong));
    }
    let mut segments = 1;
    let mut start = 0;
    let mut i = 0;
    while i <= bytes.len() {
        if i == bytes.len() || bytes[i] == b'.' {
            if i == start {
                return Some((i, PatternErrorKind::EmptySegment));
            }
            if bytes[start] == b'*' {
                let star = i - start == 1;
                let last_stars = i - start == 2 && bytes[start + 1] == b'*' && i == bytes.len();
                if !star && !last_stars {
                    return Some((start, PatternErrorKind::Wildcard));
                }
            }
            if i < bytes.len() {
                segments += 1;
                if segments > MAX_SEGMENTS {
                    return Some((i, PatternErrorKind::TooManySegments));
                }
            }
            start = i + 1;
        } else if bytes[i] == b'*' && wildcards {
            if i > start && bytes[start] != b'*' {
                return Some((i, PatternErrorKind::Wildcard));
            }
        } else if !(bytes[i].is_ascii_alphanumeric() || bytes[i] == b'_' || bytes[i] == b'-') {
            return Some((i, PatternErrorKind::Character(bytes[i] as char)));
        }
        i += 1;
    }
    None
}

/// Whether `pattern` matches `topic`; both are taken to be well formed.
pub(crate) const fn matches(pattern: &str, topic: &str) -> bool {
    let (p, t) = (pattern.as_bytes(), topic.as_bytes());
    let (mut i, mut j) = (0, 0);
    loop {
        let (pe, te) = (segment_end(p, i), segment_end(t, j));
        if pe - i == 2 && p[i] == b'*' && p[i + 1] == b'*' {
            return true;
        }
        let star = pe - i == 1 && p[i] == b'*';
        if !star && !same(p, i, pe, t, j, te) {
            return false;
        }
        match (pe == p.len(), te == t.len()) {
            (true, true) => return true,
            (false, false) => (i, j) = (pe + 1, te + 1),
            _ => return false,
        }
    }
}

const fn segment_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at] != b'.' {
        at += 1;
    }
    at
}

const fn same(a: &[u8], mut i: usize, ae: usize, b: &[u8], mut j: usize, be: usize) -> bool {
    if ae - i != be - j {
        return false;
    }
    while i < ae {
        if a[i] != b[j] {
            return false;
        }
        (i, j) = (i + 1, j + 1);
    }
    true
}
