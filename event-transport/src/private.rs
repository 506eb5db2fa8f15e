//! What generated code names. Not public: it changes with any release.

pub use crate::protocol::{
    AskFallback, Family, Fits, Given, NoRoom, Occurred, Room, RoomOf, Table, Turned, ask,
    check_once, check_room, heard,
};
