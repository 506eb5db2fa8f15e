//! What generated code names. Not public: it changes with any release.

pub use crate::protocol::{AskFallback, Given, Occurred, Table, Turned, ask, check_once, heard};
