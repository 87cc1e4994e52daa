//! A mark of the types that implement the traits of this module.

/// Keeps other crates from implementing a trait.
pub trait Sealed {}
