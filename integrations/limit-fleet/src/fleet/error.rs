//! The reasons why a fleet does not start.

use crate::StoreError;
use std::{error, fmt};

/// The reason why [`FleetBuilder::start`](super::FleetBuilder::start) has failed. Nothing was started.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The store cannot be used.
    Store(StoreError),
    /// This process belongs to a fleet already.
    AlreadyStarted,
    /// An option has a value that cannot work. The text says which, and what to write instead.
    Option(String),
    /// The thread could not be started.
    Thread(std::io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => write!(f, "the fleet cannot be joined: {error}"),
            Self::AlreadyStarted => {
                f.write_str("this process belongs to a fleet already; stop that one first")
            }
            Self::Option(text) => f.write_str(text),
            Self::Thread(error) => write!(f, "the thread of the fleet cannot be started: {error}"),
        }
    }
}

impl error::Error for StartError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Thread(error) => Some(error),
            Self::AlreadyStarted | Self::Option(_) => None,
        }
    }
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
