//! Items that the code of the attribute names. They are not part of the public interface.
//!
//! The version is part of the path: a release of `limit-macros` names the version that it was built
//! for, so that a later release of this crate can keep that one beside a new one.

mod admitted;
mod existing;

/// Names of the first version.
pub mod v1 {
    pub use super::admitted::{Admitted, IntoAdmitted, Refuse, never_refused};
    pub use super::existing::{Existing, IsShared};
    pub use crate::blocking::run;
    pub use crate::limiter::of_function;
}
