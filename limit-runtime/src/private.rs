//! Items that the attribute's code names. They are not part of the public interface.
//!
//! The path contains a version. A release of `limit-macros` names the version that it was built
//! for. So a later release of this crate can keep the old version beside a new one.

mod admitted;
mod existing;
mod keys;
mod leased;

/// Names of the first version.
pub mod v1 {
    pub use super::admitted::{Admitted, IntoAdmitted, Refuse, never_refused};
    pub use super::existing::{Existing, IsShared};
    pub use super::keys::{acquire, acquire_for_key, acquire_permit, acquire_permit_for_key};
    pub use super::leased::{Ended, while_leased};
    pub use crate::limiter::{mark_named_after_function, mark_of_body, run_blocking as run};
}
