use std::{
    ffi::OsString,
    fmt,
    fs::File,
    io::{self, BufRead, BufReader},
    path::PathBuf,
};

use indicatif::ProgressBar;

use crate::progress;

pub(crate) const USAGE: &str = "\
usage: shop [PATH]

PATH  a file of purchases, `-` for standard input; the sample that comes with the shop if left out
      lines of master id, sample id, yyyymmdd, CDs and dollars without a header, or
      lines of customer id, yyyymmdd, CDs and dollars below a header line

exit status: 0 all lines were read, 1 some were rejected, 2 nothing could be read";

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/CDNOW_sample.txt");

/// What the command line asks for.
pub(crate) enum Arguments {
    Help,
    Run(Input),
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
        let Some(first) = arguments.next() else {
            return Ok(Self::Run(Input::File(SAMPLE.into())));
        };
        if let Some(second) = arguments.next() {
            return Err(ArgumentError::TooMany(second));
        }
        match first.to_str() {
            Some("-h" | "--help") => Ok(Self::Help),
            Some("-") => Ok(Self::Run(Input::Standard)),
            Some(option) if option.starts_with('-') => Err(ArgumentError::Option(option.into())),
            _ => Ok(Self::Run(Input::File(first.into()))),
        }
    }
}

impl Input {
    /// The lines to read and the bar that follows them.
    pub(crate) fn open(&self) -> Result<(Box<dyn BufRead>, ProgressBar), OpenError> {
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
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany(second) => write!(f, "one path is read, {second:?} is too many")?,
            Self::Option(option) => write!(f, "unknown option {option:?}")?,
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
