//! Who may send what, and who may hear what.

use std::fmt;

use event_core::PatternError;
use event_core::private::Pattern;

/// Who a peer is, as the one who opened or accepted its stream found out, or over TLS the link itself.
///
/// ```
/// use event_transport::wire::Identity;
///
/// assert_eq!(Identity::new("till-7").name(), "till-7");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity(String);

impl Identity {
    /// A peer of this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name by which access is granted.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_debug())
    }
}

/// Which way an event goes, seen from the peer whose right it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Right {
    /// The peer sends it.
    Publish,
    /// The peer hears it.
    Subscribe,
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Right::Publish => "publish",
            Right::Subscribe => "subscribe",
        })
    }
}

/// Who may publish and subscribe to what. Nobody may anything unless it is granted.
///
/// ```
/// use event_transport::wire::{Access, Identity, Right};
///
/// let access = Access::nothing()
///     .allow(&Identity::new("till-7"), Right::Publish, "orders.**")?
///     .allow(&Identity::new("till-7"), Right::Subscribe, "prices.*")?;
///
/// assert!(access.allows(&Identity::new("till-7"), Right::Publish, "orders.placed"));
/// assert!(!access.allows(&Identity::new("till-7"), Right::Subscribe, "orders.placed"));
/// assert!(!access.allows(&Identity::new("till-8"), Right::Publish, "orders.placed"));
/// # Ok::<(), tidings::PatternError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "access does nothing until it is given to a link"]
pub struct Access {
    grants: Vec<Grant>,
}

#[derive(Debug, Clone)]
struct Grant {
    identity: Identity,
    right: Right,
    pattern: Pattern,
}

impl Access {
    /// Nobody may anything.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Grants a right for the topics that a pattern matches.
    ///
    /// # Errors
    ///
    /// [`PatternError`] if the text is no pattern.
    pub fn allow(
        mut self,
        identity: &Identity,
        right: Right,
        pattern: &str,
    ) -> Result<Self, PatternError> {
        self.grants.push(Grant {
            identity: identity.clone(),
            right,
            pattern: Pattern::parse(pattern)?,
        });
        Ok(self)
    }

    /// Whether somebody may do something with a topic.
    pub fn allows(&self, identity: &Identity, right: Right, topic: &str) -> bool {
        self.of(identity)
            .any(|grant| grant.right == right && grant.pattern.matches(topic))
    }

    /// Whether somebody may anything at all.
    pub fn knows(&self, identity: &Identity) -> bool {
        self.of(identity).next().is_some()
    }

    fn of(&self, identity: &Identity) -> impl Iterator<Item = &Grant> {
        let grants = self.grants.iter();
        grants.filter(move |grant| grant.identity == *identity)
    }
}
