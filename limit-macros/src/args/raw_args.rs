//! The arguments as they are written.

use super::options::{AttributeOption, OptionValue, RefusalEffect};
use super::setter_arg::SetterArg;
use super::values::limit_arg::LimitArg;
use super::values::words::ScopeArg;
use proc_macro2::{Ident, Span};

/// The arguments in the order written. No two of them contradict each other.
#[derive(Default)]
pub(super) struct RawArgs {
    /// LIMIT, which may be missing.
    pub(super) limit: Option<LimitArg>,
    /// The options, each at most once.
    pub(super) options: Vec<RawOption>,
}

/// An option with its value.
pub(super) struct RawOption {
    pub(super) option: AttributeOption,
    /// The name of the option in the user's tokens, for the spans of errors.
    pub(super) word: Ident,
    pub(super) value: OptionValue,
}

impl RawArgs {
    /// Returns the user's word for `option`, if the option is given.
    pub(super) fn word(&self, option: AttributeOption) -> Option<&Ident> {
        let given = self.options.iter().find(|given| given.option == option)?;
        Some(&given.word)
    }

    /// Returns the place of `fleet` in `scope = fleet`, if that is given.
    pub(super) fn fleet(&self) -> Option<Span> {
        self.options.iter().find_map(|given| match given.value {
            OptionValue::Setter(SetterArg::Scope(ScopeArg::Fleet(fleet))) => Some(fleet),
            _ => None,
        })
    }

    /// Returns the user's word for the first option that has this effect.
    pub(super) fn first_with(&self, effect: RefusalEffect) -> Option<&Ident> {
        let has_effect = |given: &&RawOption| given.refusal_effect() == effect;
        self.options.iter().find(has_effect).map(|given| &given.word)
    }
}

impl RawOption {
    fn refusal_effect(&self) -> RefusalEffect {
        match &self.value {
            OptionValue::Setter(arg) => self.option.refusal_effect(arg),
            _ => self.option.rule().refusal_effect,
        }
    }
}
