//! A library that declares an event and has no listener.

use tidings::event;

/// Something that others hear.
#[event("declared.only")]
#[derive(Debug)]
pub struct Declared;
