//! What `Debug` of an error says.

use std::error::Error;
use std::fmt;

/// The words of `Display`, with each cause that they do not name.
pub(crate) fn with_causes(error: &dyn Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let why = cause.to_string();
        if !words.contains(&why) {
            words.push_str(": ");
            words.push_str(&why);
        }
        source = cause.source();
    }
    f.write_str(&words)
}

/// `Debug` in the words of `Display`, since `unwrap` and a `main` that returns an error print that one.
macro_rules! debug_as_display {
    ($($error:ty),+) => {
        $(
            impl std::fmt::Debug for $error {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    $crate::words::with_causes(self, f)
                }
            }
        )+
    };
}

pub(crate) use debug_as_display;

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fmt::{self, Display};
    use std::io;

    use crate::{ConnectionError, TransportError, WriteError};

    fn refused() -> io::Error {
        io::Error::new(io::ErrorKind::ConnectionRefused, "nobody is there")
    }

    #[test]
    fn debug_says_what_display_does() {
        let error = TransportError::bind("shop.example:80", refused());
        assert_eq!(
            format!("{error:?}"),
            "cannot listen at shop.example:80: nobody is there"
        );
        let error = ConnectionError::io(refused());
        assert_eq!(format!("{error:?}"), "nobody is there");
        let error = WriteError::Closed;
        assert_eq!(format!("{error:?}"), "the connection is closing or lost");
    }

    struct Unread(io::Error);

    impl Display for Unread {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("`ca.pem` cannot be read")
        }
    }

    impl Error for Unread {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    debug_as_display!(Unread);

    #[test]
    fn debug_adds_the_causes_that_display_leaves_out() {
        assert_eq!(
            format!("{:?}", Unread(refused())),
            "`ca.pem` cannot be read: nobody is there"
        );
    }

    #[cfg(feature = "wire")]
    #[test]
    fn debug_of_a_link_says_what_to_do() {
        use crate::wire::{LinkError, LinkSetupError, WireError};

        let error = LinkSetupError::NoTokio;
        assert_eq!(
            format!("{error:?}"),
            "a link runs on tokio: make it in a task, or after `Runtime::enter`"
        );
        let error = LinkError::from(WireError::NoIdentity);
        assert_eq!(format!("{error:?}"), WireError::NoIdentity.to_string());
    }
}
