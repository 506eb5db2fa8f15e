//! Pipes: connections with one direction.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::PathBuf;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::info::{Direction, Info, Pipe};
use super::io::{Dial, Dialing, Link, check_reactor, sealed};
use super::pipe_io::PipeIo;
use crate::error::TransportError;

/// The reading end of a pipe, for [`connect`](crate::connect): of a FIFO, a terminal, another character device or a socket.
///
/// The protocol hears [`DataReceived`](crate::DataReceived), [`EofReceived`](crate::EofReceived) when all writers have left, and
/// [`ConnectionLost`](crate::ConnectionLost). A regular file is refused: it has always something to read, so tokio's `File` is for that.
///
/// While it is connected the descriptor does not block, for other programs that have it open as well.
///
/// ```
/// use std::process::{Command, Stdio};
/// use tidings::transport::{DataReceived, connect, read_pipe};
/// use tidings::{EventLoop, protocol};
///
/// #[derive(Default)]
/// struct Lines(String);
///
/// #[protocol]
/// impl Lines {
///     #[listener]
///     fn data(&mut self, e: &DataReceived) {
///         self.0.push_str(&String::from_utf8_lossy(&e.data));
///     }
/// }
///
/// let mut child = Command::new("echo").arg("coffee").stdout(Stdio::piped()).spawn()?;
/// let stdout = child.stdout.take().ok_or("it is piped")?;
/// let lp = EventLoop::new()?;
/// let said = lp.run_until_complete(async {
///     let (pipe, lines) = connect::<Lines>(&lp, read_pipe(stdout)).await?;
///     pipe.wait_closed().await;
///     Ok::<_, Box<dyn std::error::Error>>(lines.with(|lines| lines.0.clone())?)
/// })??;
/// assert_eq!(said, "coffee\n");
/// # child.wait()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_pipe(fd: impl Into<OwnedFd>) -> PipeEnd {
    PipeEnd::of(fd.into(), Direction::In)
}

/// The writing end of a pipe, for [`connect`](crate::connect): of a FIFO, a terminal, another character device or a socket.
///
/// The protocol hears [`WritingPaused`](crate::WritingPaused) and [`WritingResumed`](crate::WritingResumed), and
/// [`ConnectionLost`](crate::ConnectionLost) also when the reader has left, with an error if bytes had to be discarded. That ends no connection to a
/// terminal or another device, which learns it from the next write. [`write_eof`](crate::Transport::write_eof) ends the connection.
///
/// While it is connected the descriptor does not block, for other programs that have it open as well.
///
/// ```
/// use std::io::Read;
/// use std::process::{Command, Stdio};
/// use tidings::transport::{connect, write_pipe};
/// use tidings::{EventLoop, protocol};
///
/// #[derive(Default)]
/// struct Silent;
///
/// #[protocol]
/// impl Silent {}
///
/// let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
/// let stdin = child.stdin.take().ok_or("it is piped")?;
/// let lp = EventLoop::new()?;
/// lp.run_until_complete(async {
///     let (pipe, _) = connect::<Silent>(&lp, write_pipe(stdin)).await?;
///     pipe.write("coffee")?;
///     pipe.write_eof()?;
///     pipe.wait_closed().await;
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })??;
/// assert_eq!(child.wait_with_output()?.stdout, b"coffee");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_pipe(fd: impl Into<OwnedFd>) -> PipeEnd {
    PipeEnd::of(fd.into(), Direction::Out)
}

/// A FIFO by its path: say with [`read`](Fifo::read) or [`write`](Fifo::write) which end of it.
///
/// ```
/// use tidings::transport::{DataReceived, Transport, connect, fifo};
/// use tidings::{EventLoop, protocol};
///
/// #[derive(Default)]
/// struct Once(Vec<u8>);
///
/// #[protocol]
/// impl Once {
///     #[listener]
///     fn data(&mut self, e: &DataReceived, t: &Transport) {
///         self.0.extend_from_slice(&e.data);
///         t.close();
///     }
/// }
///
/// # let path = std::env::temp_dir().join(format!("tidings-fifo-{}", std::process::id()));
/// assert!(std::process::Command::new("mkfifo").arg(&path).status()?.success());
/// let lp = EventLoop::new()?;
/// let heard = lp.run_until_complete(async {
///     let (reader, heard) = connect::<Once>(&lp, fifo(&path).read()).await?;
///     let (writer, _) = connect::<Once>(&lp, fifo(&path).write()).await?;
///     writer.write("coffee")?;
///     reader.wait_closed().await;
///     Ok::<_, Box<dyn std::error::Error>>(heard.with(|once| once.0.clone())?)
/// })??;
/// assert_eq!(heard, b"coffee");
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn fifo(path: impl Into<PathBuf>) -> Fifo {
    Fifo { path: path.into() }
}

/// See [`fifo`].
#[derive(Debug, Clone)]
pub struct Fifo {
    path: PathBuf,
}

impl Fifo {
    /// The reading end, which waits for the first writer. When all writers have left, the protocol hears [`EofReceived`](crate::EofReceived).
    pub fn read(self) -> PipeEnd {
        PipeEnd {
            source: Source::Path(self.path),
            direction: Direction::In,
        }
    }

    /// The writing end. Without a reader it cannot be connected to: the error is [`Connect`](crate::TransportErrorKind::Connect).
    pub fn write(self) -> PipeEnd {
        PipeEnd {
            source: Source::Path(self.path),
            direction: Direction::Out,
        }
    }
}

/// One end of a pipe: what [`read_pipe`], [`write_pipe`] and [`fifo`] give.
#[derive(Debug)]
pub struct PipeEnd {
    source: Source,
    direction: Direction,
}

#[derive(Debug)]
enum Source {
    Fd(OwnedFd),
    Path(PathBuf),
}

impl PipeEnd {
    fn of(fd: OwnedFd, direction: Direction) -> Self {
        Self {
            source: Source::Fd(fd),
            direction,
        }
    }

    fn open(self) -> Result<Link, (String, io::Error)> {
        let Self { source, direction } = self;
        let (name, file) = match source {
            Source::Fd(fd) => {
                let name = format!("descriptor {}", fd.as_raw_fd());
                (name, Ok(File::from(fd)))
            }
            Source::Path(path) => (path.display().to_string(), open_fifo(&path, direction)),
        };
        match file.and_then(|file| link(file, direction)) {
            Ok(link) => Ok(link),
            Err(error) => Err((name, error)),
        }
    }
}

impl Dial for PipeEnd {}

impl sealed::Dial for PipeEnd {
    #[expect(private_interfaces, reason = "only this package calls it")]
    fn dial(self) -> Dialing {
        Box::pin(async move {
            check_reactor("a pipe")?;
            let link = self.open();
            link.map_err(|error| TransportError::connect(vec![error]))
        })
    }
}

fn open_fifo(path: &std::path::Path, direction: Direction) -> io::Result<File> {
    let is_fifo = |found: std::fs::Metadata| found.file_type().is_fifo();
    let found = std::fs::metadata(path).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            let why = "there is no such FIFO: make one with `mkfifo`";
            return io::Error::new(error.kind(), why);
        }
        error
    });
    if !found.map(is_fifo)? {
        let error = "it is no FIFO: make one with `mkfifo`, or give an open file to `read_pipe` or `write_pipe`";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
    }
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let mut options = OpenOptions::new();
    options
        .read(direction == Direction::In)
        .write(direction == Direction::Out);
    options
        .custom_flags(nonblocking)
        .open(path)
        .map_err(|error| {
            if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) {
                return io::Error::new(io::ErrorKind::NotConnected, "nobody reads from it");
            }
            error
        })
}

/// Makes a connection of a file of a right kind.
pub(crate) fn link(file: File, direction: Direction) -> io::Result<Link> {
    let fd = file.as_raw_fd();
    let io = PipeIo::new(file, direction)?;
    let info = Info {
        pipe: Some(Pipe { fd, direction }),
        ..Info::default()
    };
    Ok(Link::new(io, info, false))
}
