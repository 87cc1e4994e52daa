//! The rules by which two arguments contradict each other.

use super::options::{AttributeOption, BesideLimiter, HAS_ITS_OWN, OptionValue, Term};
use super::setter_arg::SetterArg;
use super::values::count::is_zero;
use super::values::words::{OnLeaseLostArg, OrderArg, ScopeArg};

impl Term {
    /// Returns the term that stands for this very value of the option, if a rule excludes it.
    pub(super) fn from_value(option: AttributeOption, value: &OptionValue) -> Option<Self> {
        let excluded = AttributeOption::ALL.iter().flat_map(|option| option.rule().excludes);
        excluded.map(|&(term, _)| term).find(|term| term.stands_for(option, value))
    }

    fn stands_for(self, option: AttributeOption, value: &OptionValue) -> bool {
        match self {
            // These do not depend on the value of an option.
            Self::Limit | Self::All | Self::AdaptiveLimit | Self::Option(_) => false,
            Self::AdaptiveTotal => matches!(value, OptionValue::AdaptiveTotal(_)),
            Self::NobodyWaits => {
                let zero = matches!(value, OptionValue::Setter(SetterArg::Number(n)) if is_zero(n));
                option == AttributeOption::MaxWaiting && zero
            }
            Self::NewestFirst => {
                matches!(value, OptionValue::Setter(SetterArg::Order(OrderArg::Lifo)))
            }
            Self::EarliestFirst => {
                matches!(value, OptionValue::Setter(SetterArg::Order(OrderArg::Deadline)))
            }
            Self::Fleet => {
                matches!(value, OptionValue::Setter(SetterArg::Scope(ScopeArg::Fleet(_))))
            }
            Self::Cancels => {
                matches!(value, OptionValue::Setter(SetterArg::OnLeaseLost(OnLeaseLostArg::Cancel)))
            }
        }
    }

    /// Returns the term as messages write it.
    pub(super) fn quote(self) -> String {
        match self {
            Self::Limit => String::from("a limit"),
            Self::All => String::from("`all(…)`"),
            Self::AdaptiveLimit | Self::AdaptiveTotal => String::from("a range"),
            Self::Option(option) => format!("`{}`", option.rule().name),
            Self::NobodyWaits => String::from("`max_waiting = 0`"),
            Self::NewestFirst => String::from("`order = lifo`"),
            Self::EarliestFirst => String::from("`order = deadline`"),
            Self::Fleet => String::from("`scope = fleet`"),
            Self::Cancels => String::from("`on_lease_lost = cancel`"),
        }
    }
}

/// Returns the reason why the two cannot stand beside each other, or `None` if they can.
pub(super) fn find_contradiction(term: Term, other: Term) -> Option<String> {
    find_reason(term, other).or_else(|| find_reason(other, term))
}

/// Returns the reason that the rule of `term` gives against `other`.
fn find_reason(term: Term, other: Term) -> Option<String> {
    let option = match (term, other) {
        (Term::Option(option), _) => option,
        (Term::All, Term::Limit) => return Some(String::from(HAS_ITS_OWN)),
        _ => return None,
    };
    let rule = option.rule();
    if let (Term::All, Some(reason)) = (other, beside_all(option)) {
        return Some(String::from(reason));
    }
    if matches!(other, Term::All | Term::Option(AttributeOption::Limiter)) {
        match rule.beside_limiter {
            BesideLimiter::Allowed => {}
            BesideLimiter::HasItsOwn => return Some(String::from(HAS_ITS_OWN)),
            BesideLimiter::HasSetter(setter) => {
                return Some(format!(
                    "an existing limiter brings its own policy; write `{setter}` where it is made"
                ));
            }
        }
    }
    let (_, reason) = rule.excludes.iter().find(|(excluded, _)| *excluded == other)?;
    Some(String::from(*reason))
}

/// Returns the reason why an option cannot stand beside `all(…)`, although it can beside `limiter`.
fn beside_all(option: AttributeOption) -> Option<&'static str> {
    match option {
        AttributeOption::Limiter => {
            Some("all limiters stand in the parentheses; write `all(A, B, limiter = self.c)`")
        }
        AttributeOption::Key => Some(
            "it belongs to one of the limiters; write it there, such as `all(A, TENANTS.key(tenant))`",
        ),
        AttributeOption::Share => Some(
            "it belongs to one of the limiters; write it there, such as `all(A, B.share(class))`",
        ),
        AttributeOption::KeyWeight => Some(
            "it belongs to one of the limiters; write it there, such as `all(A, TENANTS.key(tenant).key_weight(3))`",
        ),
        AttributeOption::Weight | AttributeOption::Priority | AttributeOption::Enabled => Some(
            "it belongs to one of the limiters; write it there, such as `all(A, B.acquire().weight(2))`",
        ),
        AttributeOption::OnLeaseLost => Some(
            "existing limiters do not say it; write `permit = permits` in its place, and wait for \
             `lease_lost()` of one of the permits in the body",
        ),
        // These belong to the call or to the function, and may stand there.
        AttributeOption::MaxWait
        | AttributeOption::OnReject
        | AttributeOption::Overload
        | AttributeOption::Permit
        | AttributeOption::Blocking
        | AttributeOption::Crate
        // Of these the rule beside `limiter` says what to write.
        | AttributeOption::Name
        | AttributeOption::Scope
        | AttributeOption::Env
        | AttributeOption::MaxWaiting
        | AttributeOption::Early
        | AttributeOption::OnUnavailable
        | AttributeOption::OnDeadlock
        | AttributeOption::ClaimWithin
        | AttributeOption::Order
        | AttributeOption::Total
        | AttributeOption::MaxWaitingTotal
        | AttributeOption::Shares
        | AttributeOption::Start
        | AttributeOption::Adapt
        | AttributeOption::Favor
        | AttributeOption::Per
        | AttributeOption::Ramp
        | AttributeOption::Shadow => None,
    }
}
