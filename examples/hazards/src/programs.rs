//! The programs, each as small as it can be.

pub(crate) mod deadlock;
pub(crate) mod once;
pub(crate) mod order;
pub(crate) mod reentry;
pub(crate) mod refuse;
pub(crate) mod select;
pub(crate) mod stream;
pub(crate) mod undriven;
