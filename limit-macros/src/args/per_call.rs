//! An option of each call.

use super::values::duration::DurationArg;
use syn::Expr;

/// An argument that each call evaluates.
pub(crate) enum PerCall {
    /// `limiter = expr`.
    Limiter(Expr),
    /// `key = expr`.
    Key(Expr),
    /// `key = expr` whose text is the key.
    KeyText(Expr),
    /// `share = expr`, of a type that is `AsRef<str>`.
    Share(Expr),
    /// `key_weight = expr`, of type `u32`.
    KeyWeight(Expr),
    /// `weight = expr`, of type `u32`.
    Weight(Expr),
    /// `priority = expr`, of type `u8`.
    Priority(Expr),
    /// `max_wait = expr`, of a type that is `Into<MaxWait>`; beside `limiter` also `"…"`.
    MaxWait(DurationArg),
    /// `enabled = expr`, of type `bool`.
    Enabled(Expr),
}

impl PerCall {
    /// Returns whether the argument makes `acquire` give a `Result`.
    pub(crate) fn is_fallible(&self) -> bool {
        match self {
            Self::Weight(_) | Self::MaxWait(_) => true,
            // The type of an existing limiter decides for itself.
            Self::Limiter(_)
            | Self::Key(_)
            | Self::KeyText(_)
            | Self::KeyWeight(_)
            | Self::Share(_)
            | Self::Priority(_)
            | Self::Enabled(_) => false,
        }
    }
}
