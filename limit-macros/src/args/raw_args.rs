//! The arguments as they are written.

use super::options::{AttributeOption, OptionValue, RefusalEffect};
use super::setter_arg::SetterArg;
use super::values::all::AllArg;
use super::values::limit_arg::LimitArg;
use super::values::range::RangeArg;
use super::values::words::{OrderArg, ScopeArg};
use proc_macro2::{Ident, Span};

/// The arguments in the order written. No two of them contradict each other.
#[derive(Default)]
pub(super) struct RawArgs {
    /// LIMIT, which may be missing.
    pub(super) limit: Option<LimitArg>,
    /// `all(…)`, which may take its place.
    pub(super) all: Option<AllArg>,
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

    /// Returns whether existing limiters take the place of LIMIT.
    pub(super) fn is_existing(&self) -> bool {
        self.all.is_some() || self.word(AttributeOption::Limiter).is_some()
    }

    /// Returns the place of `fleet` in `scope = fleet`, if that is given.
    pub(super) fn fleet(&self) -> Option<Span> {
        self.options.iter().find_map(|given| match given.value {
            OptionValue::Setter(SetterArg::Scope(ScopeArg::Fleet(fleet))) => Some(fleet),
            _ => None,
        })
    }

    /// Returns whether the order is that of deadlines.
    pub(super) fn is_by_deadline(&self) -> bool {
        self.options.iter().any(|given| {
            matches!(given.value, OptionValue::Setter(SetterArg::Order(OrderArg::Deadline)))
        })
    }

    /// Returns the range of the limit, or of the total, if it adapts.
    pub(super) fn range(&self) -> Option<&RangeArg> {
        if let Some(LimitArg::Range(range)) = &self.limit {
            return Some(range);
        }
        self.options.iter().find_map(|given| match &given.value {
            OptionValue::AdaptiveTotal(range) => Some(range),
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
