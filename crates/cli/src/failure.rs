//! Why a command did not do what was asked, and how a script can tell.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

use crate::words;

/// What every command returns.
pub type Outcome<T = ()> = Result<T, Failure>;

/// The exit codes scripts can rely on, beside 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// It was tried and failed.
    Failed = 1,
    /// Nothing was recognised, or the arguments make no sense.
    Usage = 2,
}

/// Why a command stops.
#[derive(Debug)]
pub enum Failure {
    /// Whoever read our output went away, which is their right: no message, exit 0.
    ReaderLeft,
    /// All there is to say has been printed.
    Told(Code),
    /// One sentence, and what to do.
    Said {
        message: String,
        remedy: Option<String>,
        code: Code,
    },
}

impl Failure {
    /// A failure with nothing more to advise than its sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self::Said {
            message: message.into(),
            remedy: None,
            code: Code::Failed,
        }
    }

    /// An error with its sources, each said once.
    pub fn from_error(error: &dyn Error) -> Self {
        Self::new(chain(error))
    }

    /// The same failure, with what a person can do about it.
    #[must_use]
    pub fn with_remedy(self, advice: impl Into<Option<String>>) -> Self {
        match self {
            Self::Said {
                message,
                code,
                remedy,
            } => Self::Said {
                message,
                code,
                remedy: advice.into().or(remedy),
            },
            other => other,
        }
    }

    /// The same failure as a matter of how the command was called.
    #[must_use]
    pub fn as_usage(self) -> Self {
        match self {
            Self::Said {
                message, remedy, ..
            } => Self::Said {
                message,
                remedy,
                code: Code::Usage,
            },
            other => other,
        }
    }

    /// Prints it to standard error and says how the process ends.
    pub fn report(self) -> ExitCode {
        match self {
            Self::ReaderLeft => ExitCode::SUCCESS,
            Self::Told(code) => ExitCode::from(code as u8),
            Self::Said {
                message,
                remedy,
                code,
            } => {
                // It may quote names from images, folders and registries.
                let message = words::harmless(&message);
                let mut text = format!("{} {message}\n", crate::style::bad("error:"));
                if let Some(remedy) = remedy.map(|remedy| words::harmless(&remedy)) {
                    let _ = writeln!(text, " {} {remedy}", crate::style::strong("help:"));
                }
                // Nobody is left to tell when standard error is gone.
                let _ = io::Write::write_all(&mut anstream::stderr(), text.as_bytes());
                ExitCode::from(code as u8)
            }
        }
    }
}

/// Writing to a closed pipe is the reader's choice, anything else is a failure.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ReaderLeft
        } else {
            Self::new(format!("writing the output failed: {error}"))
        }
    }
}

/// The message of an error and of everything under it, left out where it repeats.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let message = error.to_string();
        if !text.contains(&message) {
            let _ = write!(text, ": {message}");
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the cache could not be written")]
    struct Outer(#[source] io::Error);

    #[test]
    fn sources_are_said_once() {
        let error = Outer(io::Error::other("disk full"));
        let Failure::Said { message, .. } = Failure::from_error(&error) else {
            panic!()
        };
        assert_eq!(message, "the cache could not be written: disk full");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(matches!(failure, Failure::ReaderLeft));
    }
}
