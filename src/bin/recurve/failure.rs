//! Why a command ends without success.

use std::io;

use recurve::cell::NoStack;
use recurve::host::{HostError, baseline::BaselineError};
use recurve::{Error, VocabError};

/// Ends the command with exit code 1, with 2 if it makes no sense, or quietly.
#[derive(Debug)]
pub enum Failure {
    /// One line that says what is wrong and what to do.
    Message(String),
    /// The same of flags that contradict each other.
    Usage(String),
    /// The reader of stdout has gone, as `head` does.
    ClosedPipe,
}

impl Failure {
    pub fn new(message: impl Into<String>) -> Self {
        Self::Message(message.into())
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// A setting that is out of its range.
    pub fn setting(error: Error) -> Self {
        Self::Usage(error.to_string())
    }

    /// The same where something else has failed too.
    pub fn beside(self, other: Option<Self>) -> Self {
        match (self, other) {
            (Self::Message(first), Some(Self::Message(second))) => Self::Message(first + "; " + &second),
            (failure, _) => failure,
        }
    }

    /// What stands for a failure to write to stdout.
    pub fn stdout(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::Message(format!("cannot write the results to stdout: {error}: check where it goes")),
        }
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        Self::Message(error.to_string())
    }
}

impl From<BaselineError> for Failure {
    fn from(error: BaselineError) -> Self {
        Self::Message(error.to_string())
    }
}

impl From<NoStack> for Failure {
    fn from(error: NoStack) -> Self {
        Self::Message(error.to_string())
    }
}

impl From<VocabError> for Failure {
    fn from(error: VocabError) -> Self {
        Self::Message(error.to_string())
    }
}
