//! The arguments, checked: only options that make sense together can be expressed.

use super::options::{AttributeOption, RefusalEffect, Term};
use super::per_call::PerCall;
use super::setter_arg::SetterArg;
use super::values::all::AllArg;
use super::values::limit_arg::LimitArg;
use super::values::on_reject::OnReject;
use super::values::words::OnLeaseLostArg;
use proc_macro2::Ident;
use syn::{Expr, Path};

/// The attribute's arguments.
pub(crate) struct Args {
    /// The source of the permits.
    pub(crate) source: Source,
    /// The arguments that each call evaluates, in the order written.
    pub(crate) per_call: Vec<PerCall>,
    /// The fate of calls that are refused.
    pub(crate) refusals: RefusalHandling,
    /// `overload = |output| …`: a closure, or the path of a function.
    pub(crate) overload: Option<Expr>,
    /// `permit = ident`.
    pub(crate) permit: Option<Ident>,
    /// The word `blocking`.
    pub(crate) blocking: Option<Ident>,
    /// `crate = path`.
    pub(crate) crate_path: Option<Path>,
}

/// The source of a function's permits.
pub(crate) enum Source {
    /// A limiter that the attribute makes for the function.
    Own(Box<OwnLimiter>),
    /// An existing limiter. Its expression is the [`PerCall::Limiter`] of [`Args::per_call`].
    Existing,
    /// Existing limiters, whose permits are taken as one.
    All(AllArg),
}

/// The limiter that the attribute makes for the function.
pub(crate) struct OwnLimiter {
    pub(crate) limit: LimitArg,
    pub(crate) policy: Policy,
}

/// The options of a function's own limiter. A `static` evaluates their expressions.
#[derive(Default)]
pub(crate) struct Policy {
    /// `name = "…"`, a string literal or an expression that stands for one.
    pub(crate) name: Option<Expr>,
    /// The setters to call, in the order of the list of options.
    pub(crate) setters: Vec<Setter>,
}

/// A setter of the limiter that the attribute calls.
pub(crate) struct Setter {
    pub(super) option: AttributeOption,
    pub(crate) name: &'static str,
    pub(crate) arg: SetterArg,
}

/// The fate of calls that are refused.
pub(crate) enum RefusalHandling {
    /// No call is refused, and the types say so.
    Impossible,
    /// The limiter's type says whether calls are refused. If so, the function returns the refusal.
    /// The word is `limiter` or `all`, for spans.
    LimiterDecides(Ident),
    /// The function returns the refusal. The word is the first option that can refuse, for
    /// messages.
    Returned(Ident),
    /// The function gives the value of `on_reject`.
    Handled(Box<OnReject>),
}

impl Args {
    /// Returns whether the body is dropped when its lease is lost.
    pub(crate) fn cancels(&self) -> bool {
        matches!(&self.source, Source::Own(own) if own.policy.cancels())
    }
}

impl OwnLimiter {
    /// Returns the expressions that a `static` evaluates and the user writes freely, each with its
    /// label for messages.
    pub(super) fn static_expressions(&self) -> Vec<(String, &Expr)> {
        let limit = match &self.limit {
            LimitArg::Expression(limit) => vec![limit],
            LimitArg::Literal(_) => Vec::new(),
            LimitArg::Range(range) => range.expressions(),
        };
        let limit = limit.into_iter().map(|limit| (Term::Limit.quote(), limit));
        let setters = self.policy.setters.iter().flat_map(|setter| {
            let expressions = setter.arg.expressions().into_iter();
            expressions.map(|expression| (Term::Option(setter.option).quote(), expression))
        });
        limit.chain(setters).collect()
    }
}

impl Policy {
    /// Returns whether `acquire` of the limiter gives a `Result`, before a [`PerCall`] is applied.
    pub(crate) fn is_fallible(&self) -> bool {
        self.has(RefusalEffect::CanRefuse) && !self.is_shadow()
    }

    /// Returns whether no call of the limiter is refused, whatever the other options say.
    pub(crate) fn is_shadow(&self) -> bool {
        self.has(RefusalEffect::NeverRefuses)
    }

    fn has(&self, effect: RefusalEffect) -> bool {
        self.setters.iter().any(|setter| setter.option.refusal_effect(&setter.arg) == effect)
    }

    /// Returns whether the limiter has keys. Each call evaluates its own [`PerCall::Key`].
    pub(crate) fn is_keyed(&self) -> bool {
        self.setters.iter().any(|setter| setter.option == AttributeOption::Key)
    }

    /// Returns whether the limiter's own setters leave it one that cannot refuse calls, although it is to
    /// refuse them.
    pub(crate) fn needs_refusals(&self) -> bool {
        let makes = [AttributeOption::MaxWaiting, AttributeOption::MaxWait];
        self.is_fallible() && !self.setters.iter().any(|setter| makes.contains(&setter.option))
    }

    /// Returns whether the body is dropped when its lease is lost.
    fn cancels(&self) -> bool {
        self.setters
            .iter()
            .any(|setter| matches!(setter.arg, SetterArg::OnLeaseLost(OnLeaseLostArg::Cancel)))
    }

    /// Returns the environment variable's name, if it is given.
    pub(super) fn env(&self) -> Option<&Expr> {
        self.setters.iter().find_map(|setter| match (setter.option, &setter.arg) {
            (AttributeOption::Env, SetterArg::Text(variable)) => Some(variable),
            _ => None,
        })
    }
}
