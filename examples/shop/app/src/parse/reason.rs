use std::fmt;

/// Why a line is no purchase. What the line held is printed quoted, since it may be anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    TooLong,
    NotUtf8,
    SecondHeader,
    ColumnCount {
        found: usize,
        expected: Option<usize>,
    },
    Mixed {
        found: usize,
        expected: usize,
    },
    NotANumber(&'static str, String),
    Negative(&'static str, String),
    TooLarge(&'static str, String),
    NotADate(String),
    NoSuchDay(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the line is too long for a purchase"),
            Self::NotUtf8 => write!(f, "the line is not UTF-8"),
            Self::SecondHeader => write!(f, "a header line among the purchases"),
            Self::ColumnCount {
                found,
                expected: Some(expected),
            } => {
                write!(f, "{expected} columns were expected, {found} found")
            }
            Self::ColumnCount {
                found,
                expected: None,
            } => {
                write!(f, "4 or 5 columns were expected, {found} found")
            }
            Self::Mixed { found, expected } => write!(
                f,
                "{found} columns in a file of {expected}: a column is wrong or two layouts are mixed",
            ),
            Self::NotANumber(column, text) => write!(f, "{column} {text:?} is not a number"),
            Self::Negative(column, text) => write!(f, "{column} {text:?} is negative"),
            Self::TooLarge(column, text) => write!(f, "{column} {text:?} is too large"),
            Self::NotADate(text) => write!(f, "date {text:?} is not of the form yyyymmdd"),
            Self::NoSuchDay(text) => write!(f, "date {text:?} is not in the calendar"),
        }
    }
}
