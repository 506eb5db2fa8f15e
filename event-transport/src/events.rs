//! What a stream connection does.

use bytes::Bytes;

use crate::connection::Connection;
use crate::declared::declare;
use crate::error::ConnectionError;

/// A connection is there. It is the first event of every connection.
///
/// If the server or the client has a label, it is also emitted on the bus before the protocol hears it.
#[derive(Debug, Clone)]
pub struct ConnectionMade {
    /// The facts of the connection.
    pub connection: Connection,
}

/// Bytes came. How they are cut says nothing: a stream has no messages.
#[derive(Debug, Clone)]
pub struct DataReceived {
    /// The bytes, at least one. A clone is cheap.
    pub data: Bytes,
}

/// The peer will send no more.
///
/// A listener says with [`AfterEof`] whether the connection goes on in the other direction. Without a listener it is closed.
#[derive(Debug, Clone)]
pub struct EofReceived;

/// A connection has ended. It is the last event of every connection, and comes exactly once.
///
/// If the server or the client has a label, it is also emitted on the bus after the protocol has heard it.
#[derive(Debug, Clone)]
pub struct ConnectionLost {
    /// The facts of the connection.
    pub connection: Connection,
    /// Why it ended; `None` if it was closed or aborted on this side, or the peer ended it in good order.
    pub error: Option<ConnectionError>,
}

/// More bytes wait to be written than the limit allows: stop writing until [`WritingResumed`] comes, or [`ConnectionLost`], with which the pause ends
/// as well.
#[derive(Debug, Clone)]
pub struct WritingPaused;

/// Few enough bytes wait to be written to go on writing.
#[derive(Debug, Clone)]
pub struct WritingResumed;

/// What a listener of [`EofReceived`] returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AfterEof {
    /// The connection is closed, once what is buffered has been written.
    #[default]
    Close,
    /// The connection stays open for writing. It ends with [`close`](crate::Transport::close) or [`write_eof`](crate::Transport::write_eof).
    KeepWriting,
}

declare! {
    on buses {
        ConnectionMade "transport.connection_made" "A connection of a labelled server or client is there."
            ["connection" "Connection"]
        ConnectionLost "transport.connection_lost" "A connection of a labelled server or client has ended."
            ["connection" "Connection", "error" "Option<ConnectionError>"]
    }
    only protocols {
        DataReceived "transport.data_received"
        EofReceived "transport.eof_received"
        WritingPaused "transport.writing_paused"
        WritingResumed "transport.writing_resumed"
    }
}
