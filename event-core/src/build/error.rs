//! What keeps a bus from being built.

use std::error::Error;
use std::fmt;
use std::panic::Location;

/// Names one kind of [`Problem`]; the text form is stable and stands in `docs/errors.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The platform gathered no records at all.
    RegistryEmpty,
    /// Two event declarations with one topic.
    DuplicateTopic,
    /// Two listeners with one id.
    DuplicateId,
    /// A listener needs state that the bus was not given.
    MissingState,
    /// Two values of one type were given as state.
    DuplicateState,
    /// A function that is no listener was named.
    NotAListener,
    /// An id that no listener has was named.
    UnknownId,
    /// A crate without listeners was named.
    UnknownCrate,
    /// A crate named in `link!` registers nothing.
    NothingLinked,
    /// `before` and `after` lead in a circle.
    OrderCycle,
    /// `before` or `after` contradicts `early` or `late`.
    OrderPhase,
    /// `before` or `after` names a listener that hears no common event.
    OrderUnrelated,
    /// An async pattern listener matches an event that is not `Send + Sync`.
    NotSend,
    /// `tune` names a listener that runs inside `emit`.
    NotTunable,
    /// `tune` makes of a listener's policy what makes no sense, such as a queue of zero.
    InvalidPolicy,
    /// A test replaces a listener by a closure that cannot stand in for it.
    NotReplaceable,
    /// Two listeners answer one request.
    TwoReplies,
    /// No listener of the program answers a request.
    Unanswered,
}

impl Code {
    /// The code as text: `missing-state`.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::RegistryEmpty => "registry-empty",
            Code::DuplicateTopic => "duplicate-topic",
            Code::DuplicateId => "duplicate-id",
            Code::MissingState => "missing-state",
            Code::DuplicateState => "duplicate-state",
            Code::NotAListener => "not-a-listener",
            Code::UnknownId => "unknown-id",
            Code::UnknownCrate => "unknown-crate",
            Code::NothingLinked => "nothing-linked",
            Code::OrderCycle => "order-cycle",
            Code::OrderPhase => "order-phase",
            Code::OrderUnrelated => "order-unrelated",
            Code::NotSend => "not-send",
            Code::NotTunable => "not-tunable",
            Code::InvalidPolicy => "invalid-policy",
            Code::NotReplaceable => "not-replaceable",
            Code::TwoReplies => "two-replies",
            Code::Unanswered => "unanswered",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong: what, where, and what to write instead.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    message: String,
    location: Option<&'static Location<'static>>,
    help: String,
}

impl Problem {
    pub(crate) fn new(
        code: Code,
        message: impl Into<String>,
        location: Option<&'static Location<'static>>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            code,
            message: message.into(),
            location,
            help: help.into(),
        }
    }

    /// What kind of problem it is.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where it is wrong.
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.location
    }

    /// What to write instead.
    pub fn help(&self) -> &str {
        &self.help
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.code, self.message)?;
        if let Some(location) = self.location {
            write!(f, "\n    at {location}")?;
        }
        write!(f, "\n    help: {}", self.help)
    }
}

/// All that is wrong with a bus, found when it is built.
///
/// ```standalone_crate
/// use tidings::{Bus, Code, event, listener};
///
/// struct Mailer;
///
/// #[event]
/// struct Placed;
///
/// #[listener]
/// fn confirm(_: &Placed, _mailer: &Mailer) {}
///
/// let error = Bus::builder().build().unwrap_err();
/// assert_eq!(error.problems()[0].code(), Code::MissingState);
/// ```
#[derive(Clone)]
pub struct BuildError {
    problems: Vec<Problem>,
}

impl BuildError {
    /// An error, if there is any problem.
    pub(crate) fn check(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self { problems })
        }
    }

    /// The problems, at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        write!(
            f,
            "the bus cannot be built: {count} problem{}",
            if count == 1 { "" } else { "s" }
        )?;
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// The same text as `Display`, since `unwrap` and a `main` that returns an error print this one.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for BuildError {}

/// The known name nearest to `wanted`, for a "did you mean".
pub(crate) fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut scored: Vec<_> = known
        .into_iter()
        .map(|name| {
            let tail = name.rsplit("::").next().unwrap_or(name);
            let score = strsim::jaro_winkler(wanted, name).max(strsim::jaro_winkler(wanted, tail));
            (score, name)
        })
        .filter(|(score, _)| *score > 0.7)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup_by_key(|(_, name)| *name);
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

/// ``; did you mean `a` or `b`?`` or nothing.
pub(crate) fn suggestion(names: &[&str]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("; did you mean {}?", names.join(" or "))
}
