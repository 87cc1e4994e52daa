//! The values of the options: what can be known about each of them alone, and without types.

pub(super) mod all;
pub(super) mod count;
pub(super) mod duration;
pub(super) mod existing;
pub(super) mod limit_arg;
mod limit_number;
pub(super) mod on_reject;
pub(super) mod overload;
pub(super) mod range;
pub(super) mod text;
pub(super) mod words;
