//! The arguments, checked: only options that make sense together can be expressed.

use super::options::{AttributeOption, Term};
use super::values::duration::DurationArg;
use super::values::limit_arg::LimitArg;
use super::values::on_reject::OnReject;
use super::values::words::{OrderArg, ScopeArg};
use proc_macro2::Ident;
use std::time::Duration;
use syn::{Expr, Path};

/// The attribute's arguments.
pub(crate) struct Args {
    /// The source of the permits.
    pub(crate) source: Source,
    /// The arguments that each call evaluates, in the order written.
    pub(crate) per_call: Vec<PerCall>,
    /// The fate of calls that are refused.
    pub(crate) refusals: RefusalHandling,
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
    pub(crate) scope: ScopeArg,
    /// `env = "VAR"`, a string literal or an expression that stands for one.
    pub(crate) env: Option<Expr>,
    /// `max_waiting = N`, of type `usize`.
    pub(crate) max_waiting: Option<Expr>,
    /// `max_wait = "…"`. An expression is a [`PerCall::MaxWait`].
    pub(crate) max_wait: Option<Duration>,
    pub(crate) order: OrderArg,
    pub(crate) per: Option<DurationArg>,
    /// Whether the limiter has keys. Each call evaluates its own [`PerCall::Key`].
    pub(crate) keyed: bool,
    /// `total = N`, of type `usize`.
    pub(crate) total: Option<Expr>,
    pub(crate) shadow: bool,
}

/// An argument that each call evaluates.
pub(crate) enum PerCall {
    /// `limiter = expr`.
    Limiter(Expr),
    /// `key = expr`.
    Key(Expr),
    /// `weight = expr`, of type `u32`.
    Weight(Expr),
    /// `priority = expr`, of type `u8`.
    Priority(Expr),
    /// `max_wait = expr`, of a type that is `Into<MaxWait>`; beside `limiter` also `"…"`.
    MaxWait(DurationArg),
    /// `enabled = expr`, of type `bool`.
    Enabled(Expr),
}

/// The fate of calls that are refused.
pub(crate) enum RefusalHandling {
    /// No call is refused, and the types say so.
    Impossible,
    /// The limiter's type says whether calls are refused. If so, the function returns the refusal.
    /// The word is `limiter`, for spans.
    LimiterDecides(Ident),
    /// The function returns the refusal. The word is the first option that can refuse, for
    /// messages.
    Returned(Ident),
    /// The function gives the value of `on_reject`.
    Handled(Box<OnReject>),
}

impl OwnLimiter {
    /// Returns the expressions that a `static` evaluates and the user writes freely, each with its
    /// label for messages.
    pub(super) fn static_expressions(&self) -> Vec<(String, &Expr)> {
        // Each field is named, so that a new one is not forgotten here.
        let Self { limit, policy } = self;
        let Policy {
            // A string literal, a macro or a path: of those the compiler says what is wrong.
            name: _,
            env: _,
            scope: _,
            max_waiting,
            max_wait: _,
            order: _,
            per,
            keyed: _,
            total,
            shadow: _,
        } = policy;
        let limit = match limit {
            LimitArg::Expression(limit) => Some(limit),
            LimitArg::Literal(_) => None,
        };
        let per = match per {
            Some(DurationArg::Expression(per)) => Some(per),
            Some(DurationArg::Literal(_)) | None => None,
        };
        let expressions = [
            (Term::Limit, limit),
            (Term::Option(AttributeOption::MaxWaiting), max_waiting.as_ref()),
            (Term::Option(AttributeOption::Total), total.as_ref()),
            (Term::Option(AttributeOption::Per), per),
        ];
        let with_label = |(term, expression): (Term, _)| Some((term.quote(), expression?));
        expressions.into_iter().filter_map(with_label).collect()
    }
}

impl Policy {
    /// Returns whether `acquire` of the limiter gives a `Result`, before a [`PerCall`] is applied.
    pub(crate) fn is_fallible(&self) -> bool {
        // Each field is named, so that a new one is not forgotten here.
        let Self {
            max_waiting,
            max_wait,
            shadow,
            name: _,
            scope: _,
            env: _,
            order: _,
            per: _,
            keyed: _,
            total: _,
        } = self;
        (max_waiting.is_some() || max_wait.is_some()) && !shadow
    }
}

impl PerCall {
    /// Returns whether the argument makes `acquire` give a `Result`.
    pub(crate) fn is_fallible(&self) -> bool {
        match self {
            Self::Weight(_) | Self::MaxWait(_) => true,
            // The type of an existing limiter decides for itself.
            Self::Limiter(_) | Self::Key(_) | Self::Priority(_) | Self::Enabled(_) => false,
        }
    }
}
