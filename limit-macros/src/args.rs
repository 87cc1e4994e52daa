//! The arguments of the attribute: the tokens between its parentheses.
//!
//! [`parse`] turns the tokens into [`RawArgs`](raw_args::RawArgs): the options in the order
//! written, each with its own value checked. [`normalise`](normalise::normalise) turns those into
//! [`Args`], which can only express options that make sense together. [`options`] is the list of
//! the options, and both stages read it.

mod adaptation;
mod check_signature;
mod checked;
mod contradictions;
mod normalise;
mod options;
mod options_macro;
mod other_names;
mod parse;
mod per_call;
mod raw_args;
mod setter_arg;
mod unknown;
mod values;

pub(crate) use self::check_signature::check;
pub(crate) use self::checked::{Args, OwnLimiter, Policy, RefusalHandling, Setter, Source};
pub(crate) use self::options::{options_links, options_table};
pub(crate) use self::options_macro::{first, links_to_guide};
pub(crate) use self::parse::find_blocking;
pub(crate) use self::per_call::PerCall;
pub(crate) use self::setter_arg::SetterArg;
pub(crate) use self::values::all::{AllArg, OneLimitArg};
pub(crate) use self::values::duration::DurationArg;
pub(crate) use self::values::limit_arg::LimitArg;
pub(crate) use self::values::on_reject::OnReject;
pub(crate) use self::values::range::{RangeArg, RangeEnd};
pub(crate) use self::values::words::{
    FavorArg, OnDeadlockArg, OnUnavailableArg, OrderArg, ScopeArg,
};

use proc_macro2::TokenStream;
use syn::Result;

/// Reads the tokens between the attribute's parentheses, or says what is wrong with them.
pub(crate) fn read(tokens: TokenStream) -> Result<Args> {
    normalise::normalise(parse::parse(tokens)?)
}
