//! What a connection does.

use bytes::Bytes;

use crate::connection::Connection;
use crate::datagram::DatagramAddr;
use crate::declared::declare;
use crate::error::ConnectionError;
use crate::process::ExitStatus;

/// A connection is there. It is the first event of every connection.
///
/// If the server or the client has a label, it is also emitted on the bus before the protocol hears it.
#[derive(Debug, Clone)]
pub struct ConnectionMade {
    /// The facts of the connection.
    pub connection: Connection,
}

/// Bytes came over a stream. How they are cut says nothing: a stream has no messages.
///
/// Only the protocol of a connection hears it. A bus carries no such event, so that a subscription to it does not compile:
///
/// ```compile_fail,E0080
/// use tidings::Bus;
/// use tidings::transport::DataReceived;
///
/// Bus::empty().on(|e: &DataReceived| println!("{}", e.data.len())).forever();
/// ```
#[derive(Debug, Clone)]
pub struct DataReceived {
    /// The bytes, at least one. A clone is cheap.
    pub data: Bytes,
}

/// A datagram came, whole.
#[derive(Debug, Clone)]
pub struct DatagramReceived {
    /// What is in it, which may be nothing. A clone is cheap.
    pub data: Bytes,
    /// Who sent it.
    pub from: DatagramAddr,
}

/// The operating system has an error for a datagram endpoint, such as that nobody is where a datagram was sent. The endpoint stays open.
#[derive(Debug, Clone)]
pub struct ErrorReceived {
    /// What the operating system says.
    pub error: ConnectionError,
}

/// Bytes came, and are in the memory that the protocol gave with [`ReadInto`](crate::ReadInto).
#[derive(Debug, Clone)]
pub struct BufferFilled {
    /// How many, at least one. They are at the start of what [`buffer`](crate::ReadInto::buffer) gave last.
    pub bytes: usize,
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

/// A child process has written to one of its pipes. How the bytes are cut says nothing.
#[derive(Debug, Clone)]
pub struct PipeDataReceived {
    /// The child's number of the pipe: 1 is its standard output, 2 its standard error.
    pub fd: i32,
    /// The bytes, at least one. A clone is cheap.
    pub data: Bytes,
}

/// A pipe of a child process is closed. It comes once for each pipe.
#[derive(Debug, Clone)]
pub struct PipeClosed {
    /// The child's number of the pipe: 0 is its standard input, 1 its standard output, 2 its standard error.
    pub fd: i32,
    /// Why, unless it was closed in good order.
    pub error: Option<ConnectionError>,
}

/// A child process has ended. Its pipes may end before that or after it.
///
/// If the child has a label, it is also emitted on the bus after the protocol has heard it.
#[derive(Debug, Clone)]
pub struct ProcessExited {
    /// The facts of the connection.
    pub connection: Connection,
    /// Its exit code or the signal that ended it.
    pub status: ExitStatus,
}

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
        ProcessExited "transport.process_exited" "A labelled child process has ended."
            ["connection" "Connection", "status" "ExitStatus"]
    }
    only protocols {
        BufferFilled "transport.buffer_filled"
        DataReceived "transport.data_received"
        DatagramReceived "transport.datagram_received"
        EofReceived "transport.eof_received"
        ErrorReceived "transport.error_received"
        PipeClosed "transport.pipe_closed"
        PipeDataReceived "transport.pipe_data_received"
        WritingPaused "transport.writing_paused"
        WritingResumed "transport.writing_resumed"
    }
}
