use std::{
    ffi::OsString,
    fmt,
    fs::File,
    io::{self, BufRead, BufReader},
    path::PathBuf,
    time::Duration,
};

use indicatif::ProgressBar;

use crate::{pace::PaceError, progress, replay::Replay};

pub(crate) const USAGE: &str = "\
usage: shop [OPTION]... [PATH]
       shop --serve ADDRESS [OPTION]...

PATH  a file of purchases, `-` for standard input; the sample that comes with the shop if left out
      lines of master id, sample id, yyyymmdd, CDs and dollars without a header, or
      lines of customer id, yyyymmdd, CDs and dollars below a header line

--seed N      the luck of the service that carries messages to customers; 7 if left out
--latency MS  how many milliseconds that service takes for a message; 0 if left out
--grace MS    how many milliseconds deliveries have to end when the shop is stopped; 5000 if left out
--replay SPAN=TIME
              purchases come in the order of their dates, SPAN of the calendar in TIME, 1year=10s for example;
              a number and one of ms, s, min, h, day, week, month, year
--replay virtual
              the same order, on a clock that does not wait

--send ADDRESS
              purchases are read here and heard by the shop that serves there, 127.0.0.1:7000 for example
--serve ADDRESS
              hears the purchases of the shop that sends them here, and ends when that shop says that these are all
--patience MS for how many milliseconds the other shop may be away before nothing more is sent; 30000 if left out

Ctrl-C or SIGTERM stops the reading, waits for what was read and prints the report; once more ends at once.

exit status: 0 all lines were read and delivered, 1 some were not, 2 nothing could be read or sent,
             130 stopped by Ctrl-C, 143 stopped by SIGTERM";

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/CDNOW_sample.txt");

/// What the command line asks for.
pub(crate) enum Arguments {
    Help,
    Run(Job),
}

/// One run of the shop.
pub(crate) struct Job {
    pub(crate) input: Input,
    /// The luck of the outside service.
    pub(crate) seed: u64,
    /// How long that service takes for a message.
    pub(crate) latency: Duration,
    /// How long deliveries have to end when the shop is stopped.
    pub(crate) grace: Duration,
    /// At which times the purchases come; as soon as they are read if left out.
    pub(crate) replay: Option<Replay>,
    /// Where the purchases are heard, or come from; all of it is here if left out.
    pub(crate) link: Option<Over>,
    /// How long the other shop may be away.
    pub(crate) patience: Duration,
}

/// Which side of a link this shop is, and the address.
pub(crate) enum Over {
    Serve(String),
    Send(String),
}

/// Where the purchases are.
pub(crate) enum Input {
    Standard,
    File(PathBuf),
}

impl Arguments {
    pub(crate) fn read(
        mut arguments: impl Iterator<Item = OsString>,
    ) -> Result<Self, ArgumentError> {
        let (mut seed, mut latency, mut grace, mut patience) = (7, 0, 5000, 30_000);
        let (mut input, mut replay, mut link) = (None, None, None);
        while let Some(argument) = arguments.next() {
            let number = match argument.to_str() {
                Some("-h" | "--help") => return Ok(Self::Help),
                Some("--seed") => &mut seed,
                Some("--latency") => &mut latency,
                Some("--grace") => &mut grace,
                Some("--patience") => &mut patience,
                Some("--serve" | "--send") if link.is_some() => {
                    return Err(ArgumentError::TwoLinks);
                }
                Some("--serve") => {
                    link = Some(Over::Serve(read_address(argument, arguments.next())?));
                    continue;
                }
                Some("--send") => {
                    link = Some(Over::Send(read_address(argument, arguments.next())?));
                    continue;
                }
                Some("--replay") => {
                    replay = Some(read_replay(arguments.next())?);
                    continue;
                }
                Some(option) if option.starts_with('-') && option != "-" => {
                    return Err(ArgumentError::Option(option.into()));
                }
                _ if input.is_some() => return Err(ArgumentError::TooMany(argument)),
                Some("-") => {
                    input = Some(Input::Standard);
                    continue;
                }
                _ => {
                    input = Some(Input::File(argument.into()));
                    continue;
                }
            };
            *number = read_number(argument, arguments.next())?;
        }
        if matches!(link, Some(Over::Serve(_))) && (input.is_some() || replay.is_some()) {
            return Err(ArgumentError::ServesAndReads);
        }
        Ok(Self::Run(Job {
            input: input.unwrap_or_else(|| Input::File(SAMPLE.into())),
            seed,
            latency: Duration::from_millis(latency),
            grace: Duration::from_millis(grace),
            replay,
            link,
            patience: Duration::from_millis(patience),
        }))
    }
}

fn read_number(option: OsString, value: Option<OsString>) -> Result<u64, ArgumentError> {
    let number = value
        .as_ref()
        .and_then(|value| value.to_str()?.parse().ok());
    number.ok_or(ArgumentError::Number(option, value))
}

fn read_address(option: OsString, value: Option<OsString>) -> Result<String, ArgumentError> {
    let value = value.and_then(|value| value.into_string().ok());
    value.ok_or(ArgumentError::NoAddress(option))
}

fn read_replay(value: Option<OsString>) -> Result<Replay, ArgumentError> {
    let value = value.ok_or(ArgumentError::NoReplay)?;
    let value = value.to_string_lossy();
    Replay::read(&value).map_err(|error| ArgumentError::Replay(value.into_owned(), error))
}

impl Input {
    /// The lines to read and the bar that follows them.
    pub(crate) fn open(&self) -> Result<(Box<dyn BufRead + Send>, ProgressBar), OpenError> {
        match self {
            Self::Standard => {
                let progress = progress::unknown_length();
                let lines = BufReader::new(progress.wrap_read(io::stdin()));
                Ok((Box::new(lines), progress))
            }
            Self::File(path) => {
                let failed = |error| OpenError(path.clone(), error);
                let file = File::open(path).map_err(failed)?;
                let progress = progress::of_bytes(file.metadata().map_err(failed)?.len());
                let lines = BufReader::new(progress.wrap_read(file));
                Ok((Box::new(lines), progress))
            }
        }
    }

    /// The name that the report shows. It is the same wherever the file lies.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Standard => self.to_string(),
            Self::File(path) => path.file_name().map_or_else(
                || self.to_string(),
                |name| name.to_string_lossy().into_owned(),
            ),
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("standard input"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A command line that cannot be followed.
#[derive(Debug)]
pub(crate) enum ArgumentError {
    TooMany(OsString),
    Option(String),
    Number(OsString, Option<OsString>),
    NoReplay,
    Replay(String, PaceError),
    NoAddress(OsString),
    TwoLinks,
    ServesAndReads,
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany(second) => write!(f, "one path is read, {second:?} is too many")?,
            Self::Option(option) => write!(f, "unknown option {option:?}")?,
            Self::Number(option, None) => write!(f, "{option:?} needs a number")?,
            Self::Number(option, Some(value)) => {
                write!(f, "{option:?} needs a number, {value:?} is none")?;
            }
            Self::NoReplay => write!(f, "\"--replay\" needs a pace such as 1year=10s, or virtual")?,
            Self::Replay(value, error) => write!(f, "\"--replay\" cannot be {value:?}: {error}")?,
            Self::NoAddress(option) => {
                write!(f, "{option:?} needs an address, 127.0.0.1:7000 for example")?;
            }
            Self::TwoLinks => write!(f, "a shop serves or sends, and has one address for it")?,
            Self::ServesAndReads => write!(
                f,
                "\"--serve\" hears what the other shop reads: \"--replay\" and the path are for that one"
            )?,
        }
        write!(f, "\n{USAGE}")
    }
}

impl std::error::Error for ArgumentError {}

/// A file that cannot be opened.
#[derive(Debug)]
pub(crate) struct OpenError(PathBuf, io::Error);

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot open {}: {}", self.0.display(), self.1)
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.1)
    }
}
