//! One limit over many processes.
#![forbid(unsafe_code)]

pub mod ledger;
pub mod message;
pub mod node;
pub mod script;
