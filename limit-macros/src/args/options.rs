//! The one list of the attribute's options.
//!
//! To add an option, add a row to [`options!`]. The row makes a variant of [`AttributeOption`] and a
//! row of the table in the attribute's documentation. The row's comment is the text in that table, so
//! it stays short: details stand beside the example in `limit_runtime::guide::options`. The parser,
//! the checks, the error messages and the expansion read the rows.
//!
//! The kind of the row's [`OptionValue`] says where the value goes. For an option of the limiter,
//! [`OptionValue::Setter`], the row is all: the expansion calls the setter of the option's name. An
//! option of each call has a variant of [`PerCall`], for which the compiler asks for tokens in
//! `expand::per_call`. An option of another kind has a variant of [`OptionValue`], and the compiler
//! asks for its place in `normalise`.

use super::options_macro::options;
use super::per_call::PerCall;
use super::setter_arg::SetterArg;
use super::values::count::CountRule;
use super::values::duration::{self, DurationArg};
use super::values::existing;
use super::values::on_reject::OnReject;
use super::values::overload;
use super::values::range::RangeArg;
use super::values::text;
use super::values::words;
use crate::syntax::strip_parens;
use proc_macro2::Ident;
use syn::{Expr, Path, Result};

/// The value of an option, which has been checked alone. Its kind says where the value goes.
pub(super) enum OptionValue {
    /// The argument of a setter of the limiter. The setter has the option's name.
    Setter(SetterArg),
    /// An argument that each call evaluates.
    PerCall(PerCall),
    /// `name = "…"`, for the limiter's constructor.
    Name(Expr),
    /// `max_wait = …`, which belongs to the limiter or to each call.
    MaxWait(DurationArg),
    /// `key = …`, which belongs to the limiter and to each call.
    Key(Expr),
    /// `total = LOW..=HIGH`, for a setter of another name.
    AdaptiveTotal(RangeArg),
    /// `adapt = advise`.
    Advise,
    OnReject(Box<OnReject>),
    /// `overload = |output| …`: a closure, or the path of a function.
    Overload(Expr),
    Permit(Ident),
    Blocking,
    Crate(Path),
}

impl OptionValue {
    /// A number for a setter of the limiter.
    fn number(value: Expr) -> Self {
        Self::Setter(SetterArg::Number(value))
    }
}

/// All that is known about one option.
pub(super) struct OptionRule {
    /// The name, as the user writes it.
    pub(super) name: &'static str,
    /// The option with a value, for messages and for the documentation.
    pub(super) example: &'static str,
    /// The kind of value that the option takes.
    pub(super) takes: Takes,
    /// The rule for the option beside `limiter`.
    pub(super) beside_limiter: BesideLimiter,
    /// Other arguments that the option cannot stand beside, each with the reason. One of the two
    /// options names the other; their order in the attribute does not matter.
    pub(super) excludes: &'static [(Term, &'static str)],
    /// The argument without which the option means nothing.
    pub(super) needs: Needs,
    /// The option's effect on whether calls can be refused.
    pub(super) refusal_effect: RefusalEffect,
}

/// The kind of value that an option takes.
pub(super) enum Takes {
    /// The option is a word alone.
    Nothing(MakeValue),
    /// The option takes an expression, which the function checks and converts.
    Expression(fn(&OptionRule, Expr) -> Result<OptionValue>),
}

/// A function that returns the value of an option that takes none.
pub(super) type MakeValue = fn() -> OptionValue;

/// The rule for an option beside `limiter`.
pub(super) enum BesideLimiter {
    /// The option belongs to the call or to the function, so it can stand there.
    Allowed,
    /// The existing limiter has a value of its own.
    HasItsOwn,
    /// The existing limiter has a policy of its own, which this setter changes.
    HasSetter(&'static str),
}

/// An argument that can contradict an option.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Term {
    /// LIMIT.
    Limit,
    /// `all(…)`.
    All,
    /// LIMIT, if it is a range.
    AdaptiveLimit,
    /// An option, whatever its value.
    Option(AttributeOption),
    /// `total = LOW..=HIGH`.
    AdaptiveTotal,
    /// `max_waiting = 0`.
    NobodyWaits,
    /// `order = lifo`.
    NewestFirst,
    /// `order = deadline`.
    EarliestFirst,
    /// `scope = fleet`.
    Fleet,
    /// `on_lease_lost = cancel`.
    Cancels,
}

/// The argument that an option needs beside it.
pub(super) enum Needs {
    Nothing,
    /// The option needs another one. The text is the error if the other is missing.
    Option(AttributeOption, &'static str),
    /// The option needs `scope = fleet`.
    Fleet,
    /// The option needs a limit that adapts: a range, or an existing limiter. The text is the error if
    /// both are missing.
    Range(&'static str),
    /// The option needs `shares`, or an existing limiter. The text is the error if both are missing.
    Shares(&'static str),
    /// `order = deadline` needs `max_wait`. The text is the error if it is missing.
    MaxWaitForDeadlines(&'static str),
    /// The option needs `key`, and beside it `total` or an existing limiter. The text is the error if that is missing.
    KeysAndTotal(&'static str),
    /// The option needs `total` if `key` stands there. The text is the error if it is missing.
    TotalOfKeys(&'static str),
    /// The option needs one that can refuse calls.
    Refusals,
}

/// The effect of an option on whether calls can be refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RefusalEffect {
    Unchanged,
    /// The option can refuse calls.
    CanRefuse,
    /// No call is refused, whatever the other options say.
    NeverRefuses,
    /// The type of the existing limiter says whether it refuses calls.
    LimiterDecides,
}

impl AttributeOption {
    /// Returns the effect of the option with this value on whether calls can be refused.
    pub(super) fn refusal_effect(self, arg: &SetterArg) -> RefusalEffect {
        if arg.refuses_no_call() { RefusalEffect::Unchanged } else { self.rule().refusal_effect }
    }
}

/// The reason why `limiter` excludes LIMIT and the options that are [`BesideLimiter::HasItsOwn`].
pub(super) const HAS_ITS_OWN: &str = "an existing limiter brings its own limit, name, scope and \
     variable; leave one of the two out";
const NOBODY_WAITS: &str =
    "with `max_waiting = 0` no call ever waits; leave one of the two out, or let some wait";

const NOT_OF_STARTS: &str =
    "the time of a call says nothing about a limit of starts; leave one of the two out";
const RISES_ALREADY: &str =
    "a limit that adapts rises by what it learns; write `start = …` in its place";
const SHADOW_LEARNS_NOTHING: &str =
    "a shadow holds no call back, so nothing can be learnt; write `adapt = advise` in its place";

// All arguments that do not exclude each other here can stand beside one another. In particular:
//
// * With `shadow`: `max_waiting`, `weight`, `per` and `key`, because the limiter counts the calls
//   that they would refuse or delay. Also `order` and `priority`: they have no effect then, but a
//   policy can be tried out as it will be. Also `enabled`: with `false` the limiter does not count
//   what it would have done with the call.
// * With `key`: all others. Each key has a queue of its own, and with `per` a window of its own. (`ramp` needs a total.)
//
// The limiter's setters are called in the order of the rows: `total` after `key`, `start` and `adapt` after
// `total`, and `shadow` last, because it turns the type back into that of a limiter that never refuses.
options! {
    /// The limiter's name in figures and errors. The default is the function's path,
    /// `module::function`.
    Name {
        name: "name", example: "name = \"…\"",
        takes: Takes::Expression(|rule, value| {
            text::read_string(rule.name, &value).map(OptionValue::Name)
        }),
        beside_limiter: BesideLimiter::HasItsOwn, excludes: &[],
        needs: Needs::Nothing, refusal_effect: RefusalEffect::Unchanged,
    }

    /// All runtimes of the process share the permits. With `scope = runtime`, the default, each
    /// runtime has its own. With `scope = fleet` all processes of a fleet share them.
    Scope {
        name: "scope", example: "scope = process",
        takes: Takes::Expression(|_, value| {
            words::read_scope(&value).map(|scope| OptionValue::Setter(SetterArg::Scope(scope)))
        }),
        beside_limiter: BesideLimiter::HasItsOwn, excludes: &[],
        needs: Needs::Nothing, refusal_effect: RefusalEffect::Unchanged,
    }

    /// An existing `Limiter` takes the place of LIMIT: a `static`, or a field such as
    /// `self.limiter`. Functions that name the same limiter share its permits and its queue. Each
    /// call evaluates the expression.
    Limiter {
        name: "limiter", example: "limiter = LIMITER",
        takes: Takes::Expression(|_, value| {
            existing::read(value).map(|limiter| OptionValue::PerCall(PerCall::Limiter(limiter)))
        }),
        beside_limiter: BesideLimiter::Allowed,
        excludes: &[(Term::Limit, HAS_ITS_OWN)],
        needs: Needs::Nothing, refusal_effect: RefusalEffect::LimiterDecides,
    }

    /// The value of this environment variable, if it is set, replaces LIMIT. The limiter reads it
    /// once.
    Env {
        name: "env", example: "env = \"VAR\"",
        takes: Takes::Expression(|rule, value| {
            let variable = text::read_variable(rule.name, &value)?;
            Ok(OptionValue::Setter(SetterArg::Text(variable)))
        }),
        beside_limiter: BesideLimiter::HasItsOwn, excludes: &[],
        needs: Needs::Nothing, refusal_effect: RefusalEffect::Unchanged,
    }

    /// At most 100 calls wait. The next call is refused at once, or a waiter in its place (with `priority`, and with
    /// `order = lifo`). With 0 no call waits. With `key` the bound holds for each key, with `shares` for each share.
    MaxWaiting {
        name: "max_waiting", example: "max_waiting = 100",
        takes: Takes::Expression(|rule, value| {
            CountRule::USIZE_ONCE.read(rule.name, &value).map(OptionValue::number)
        }),
        beside_limiter: BesideLimiter::HasSetter(".max_waiting(…)"), excludes: &[],
        needs: Needs::Nothing, refusal_effect: RefusalEffect::CanRefuse,
    }

    /// A call that has waited this long is refused. The value is a span of time with its unit, or an
    /// expression of type `Duration` or `Instant` that each call evaluates.
    MaxWait {
        name: "max_wait", example: "max_wait = \"50ms\"",
        takes: Takes::Expression(|rule, value| {
            duration::read(rule.name, rule.example, value).map(OptionValue::MaxWait)
        }),
        beside_limiter: BesideLimiter::Allowed,
        excludes: &[
            (
                Term::NobodyWaits,
                "with `max_waiting = 0` no call ever waits, so none can time out; leave one of the \
                 two out",
            ),
            (
                Term::Option(AttributeOption::Shadow),
                "with `shadow` no call ever waits, so none can time out; leave one of the two out",
            ),
        ],
        needs: Needs::Nothing, refusal_effect: RefusalEffect::CanRefuse,
    }

    /// A call that would wait for longer than its `max_wait` is refused at once, by its place in the queue and the pace
    /// of the last seconds.
    Early {
        name: "early", example: "early",
        takes: Takes::Nothing(|| OptionValue::Setter(SetterArg::Nothing)),
        beside_limiter: BesideLimiter::HasSetter(".early()"),
        excludes: &[(
            Term::NewestFirst,
            "with the newest first, the place of a call in the queue does not say how long it waits; leave one of the \
             two out",
        )],
        needs: Needs::Option(
            AttributeOption::MaxWait,
            "without `max_wait` no wait is too long: add `max_wait = …`, or leave `early` out",
        ),
        refusal_effect: RefusalEffect::CanRefuse,
    }

    /// Beside `scope = fleet`: the calls of a process that is cut off from the fleet are refused. With
    /// `wait` they wait. With `local(2)` the process goes on with two permits of its own.
    OnUnavailable {
        name: "on_unavailable", example: "on_unavailable = refuse",
        takes: Takes::Expression(|rule, value| {
            let value = words::read_on_unavailable(rule.name, &value)?;
            Ok(OptionValue::Setter(SetterArg::OnUnavailable(value)))
        }),
        beside_limiter: BesideLimiter::HasSetter(".on_unavailable(…)"), excludes: &[],
        needs: Needs::Fleet, refusal_effect: RefusalEffect::CanRefuse,
    }

    /// Beside `scope = fleet`: a call whose lease is lost is refused, and its body is dropped. With
    /// `finish`, the default, it runs on.
    OnLeaseLost {
        name: "on_lease_lost", example: "on_lease_lost = cancel",
        takes: Takes::Expression(|_, value| {
            let value = words::read_on_lease_lost(&value)?;
            Ok(OptionValue::Setter(SetterArg::OnLeaseLost(value)))
        }),
        beside_limiter: BesideLimiter::Allowed,
        excludes: &[(
            Term::Option(AttributeOption::Limiter),
            "an existing limiter does not say it; write `permit = permit` in its place, and wait for \
             `permit.lease_lost()` in the body",
        )],
        needs: Needs::Fleet, refusal_effect: RefusalEffect::CanRefuse,
    }

    /// If calls wait for each other in a deadlock, one of them is refused: the one that began to wait last.
    /// With `warn`, the default, they wait on. Needs the feature `diagnostics`, and
    /// `diagnostics::record(true)`.
    OnDeadlock {
        name: "on_deadlock", example: "on_deadlock = refuse",
        takes: Takes::Expression(|_, value| {
            let value = words::read_on_deadlock(&value)?;
            Ok(OptionValue::Setter(SetterArg::OnDeadlock(value)))
        }),
        beside_limiter: BesideLimiter::HasSetter(".on_deadlock(…)"),
        excludes: &[
            (Term::NobodyWaits, NOBODY_WAITS),
            (
                Term::Option(AttributeOption::Shadow),
                "with `shadow` no call ever waits, so none waits in a deadlock; leave one of the two out",
            ),
            (
                Term::Option(AttributeOption::MaxWait),
                "with `max_wait` each wait ends in time, so none lasts in a deadlock; leave one of the two out",
            ),
        ],
        needs: Needs::Nothing, refusal_effect: RefusalEffect::CanRefuse,
    }

    /// A call that was handed a permit and is not polled within this time gives way to the next one. The
    /// value is a span of time, or a constant of type `Duration`. The default is 1 second. With
    /// `claim_within = never` no call gives way.
    ClaimWithin {
        name: "claim_within", example: "claim_within = \"2s\"",
        takes: Takes::Expression(|rule, value| {
            let time = duration::read_time_or_never(rule.name, rule.example, value)?;
            Ok(OptionValue::Setter(SetterArg::Time(time)))
        }),
        beside_limiter: BesideLimiter::HasSetter(".claim_within(…)"), excludes: &[],
        needs: Needs::Nothing, refusal_effect: RefusalEffect::Unchanged,
    }

    /// The newest waiting call is served first. A full queue refuses its oldest call. With
    /// `order = deadline` the call whose `max_wait` ends first is served first. With `order = fifo`, the default, the
    /// oldest call is served first.
    Order {
        name: "order", example: "order = lifo",
        takes: Takes::Expression(|_, value| {
            words::read_order(&value).map(|order| OptionValue::Setter(SetterArg::Order(order)))
        }),
        beside_limiter: BesideLimiter::HasSetter(".order(…)"),
        excludes: &[(Term::NobodyWaits, NOBODY_WAITS)],
        needs: Needs::MaxWaitForDeadlines(
            "without `max_wait` no call has a deadline: add `max_wait = …`, or write `order = fifo`",
        ),
        refusal_effect: RefusalEffect::Unchanged,
    }

    /// Calls with a higher priority, a `u8`, are served first. Each level counts as one second of
    /// waiting, so later calls do not hold back an earlier one for ever. A full queue refuses its youngest call of the
    /// lowest priority, if the new call's is higher. Each call evaluates the value.
    Priority {
        name: "priority", example: "priority = 5",
        takes: Takes::Expression(|rule, value| {
            let priority = CountRule::U8_PER_CALL.read(rule.name, &value)?;
            Ok(OptionValue::PerCall(PerCall::Priority(priority)))
        }),
        beside_limiter: BesideLimiter::Allowed,
        excludes: &[
            (Term::NobodyWaits, NOBODY_WAITS),
            (
                Term::NewestFirst,
                "with `order = lifo` the newest call is served first, whatever its priority; leave \
                 one of the two out",
            ),
            (
                Term::EarliestFirst,
                "with `order = deadline` the call with the earliest deadline is served first, whatever its \
                 priority; leave one of the two out",
            ),
        ],
        needs: Needs::Nothing, refusal_effect: RefusalEffect::Unchanged,
    }

    /// The call takes this many permits, a `u32`. A call of more than the limit is refused at once. A
    /// call of 0 takes none and never waits. Each call evaluates the value.
    Weight {
        name: "weight", example: "weight = 2",
        takes: Takes::Expression(|rule, value| {
            let weight = CountRule::U32_PER_CALL.read(rule.name, &value)?;
            Ok(OptionValue::PerCall(PerCall::Weight(weight)))
        }),
        beside_limiter: BesideLimiter::Allowed,
        excludes: &[(
            Term::Fleet,
            "it can be that a process never gets so many permits of the fleet at once; leave one of the two out",
        )],
        needs: Needs::Nothing, refusal_effect: RefusalEffect::CanRefuse,
    }

    /// The limit holds for each key, a value that is `Hash + Eq + Clone + Send + 'static`. Each call
    /// evaluates the value.
    Key {
        name: "key", example: "key = tenant",
        takes: Takes::Expression(|_, value| Ok(OptionValue::Key(value))),
        beside_limiter: BesideLimiter::Allowed,
        excludes: &[(
            Term::AdaptiveLimit,
            "with `key` the total adapts; write `3, key = …, total = 4..=200`",
        )],
        needs: Needs::Nothing, refusal_effect: RefusalEffect::Unchanged,
    }

    /// A cap holds over all keys together, beside `key`. Under the cap the keys are served in turn,
    /// so a busy key cannot starve the others. The cap may be a range, as LIMIT.
    Total {
        name: "total", example: "total = 100",
        takes: Takes::Expression(|rule, value| {
            if let Expr::Range(range) = strip_parens(&value) {
                return RangeArg::read("total = ", range).map(OptionValue::AdaptiveTotal);
            }
            let zero = "a total of 0 would never admit a call: write a number from 1 up";
            let count = CountRule::USIZE_ONCE.without_zero(zero);
            count.read(rule.name, &value).map(OptionValue::number)
        }),
        beside_limiter: BesideLimiter::HasSetter(".keyed().total(…)"), excludes: &[],
        needs: Needs::Option(
            AttributeOption::Key,
            "`total` caps all keys together, and there are none: add `key = …`, or leave it out",
        ),
        refusal_effect: RefusalEffect::Unchanged,
    }

    /// The key has this part of the `total`: while keys wait, they share it in proportion to their weights, of type `u32`.
    /// The default is 1. Each call evaluates the value.
    KeyWeight {
        name: "key_weight", example: "key_weight = plan.weight",
        takes: Takes::Expression(|rule, value| {
            let zero = "a key with no part of the total would never get a permit: write a weight from 1 up";
            let weight = CountRule::U32_PER_CALL.without_zero(zero).read(rule.name, &value)?;
            Ok(OptionValue::PerCall(PerCall::KeyWeight(weight)))
        }),
        beside_limiter: BesideLimiter::Allowed,
        excludes: &[(
            Term::Fleet,
            "the processes of a fleet do not share out by weight together yet; leave one of the two out",
        )],
        needs: Needs::KeysAndTotal(
            "the weights of keys are their parts of a `total`: add `key = …, total = …`, or leave `key_weight` out",
        ),
        refusal_effect: RefusalEffect::Unchanged,
    }

    /// At most 1,000 calls of all keys together wait, beside `key`. The next call is refused at once, so that clients
    /// who choose their keys cannot queue without end.
    MaxWaitingTotal {
        name: "max_waiting_total", example: "max_waiting_total = 1_000",
        takes: Takes::Expression(|rule, value| {
            let zero = "no call would ever wait: write `max_waiting = 0`, or a number from 1 up";
            let count = CountRule::USIZE_ONCE.without_zero(zero);
            count.read(rule.name, &value).map(OptionValue::number)
        }),
        beside_limiter: BesideLimiter::HasSetter(".keyed().max_waiting_total(…)"),
        excludes: &[
            (Term::NobodyWaits, NOBODY_WAITS),
            (
                Term::Option(AttributeOption::Shadow),
                "a shadow keeps account of each key by itself; leave one of the two out",
            ),
        ],
        needs: Needs::Option(
            AttributeOption::Key,
            "`max_waiting_total` bounds the waiting calls of all keys together, and there are no keys: write \
             `max_waiting = …` in its place (with `shares` it holds for each share), or add `key = …`",
        ),
        refusal_effect: RefusalEffect::CanRefuse,
    }

    /// Parts of the permits are guaranteed to shares of the calls: a constant of type `&[Share]`, such as
    /// `&[Share::new("live", 60)]`, in per cent. Each call has a `share`.
    Shares {
        name: "shares", example: "shares = SHARES",
        takes: Takes::Expression(|_, value| {
            Ok(OptionValue::Setter(SetterArg::Shares(value)))
        }),
        beside_limiter: BesideLimiter::HasSetter(".shares(…)"),
        excludes: &[
            (
                Term::Option(AttributeOption::Key),
                "a call has a share or a key; leave one of the two out",
            ),
            (
                Term::Option(AttributeOption::Per),
                "a share is one of the running calls, and not of the starts; leave one of the two out",
            ),
            (
                Term::Fleet,
                "the processes of a fleet do not share out together yet; leave one of the two out",
            ),
        ],
        needs: Needs::Option(
            AttributeOption::Share,
            "no call would belong to any of them: add `share = …`, or leave `shares` out",
        ),
        refusal_effect: RefusalEffect::Unchanged,
    }

    /// The call belongs to the share with this name: a text, which each call evaluates. A call with another name belongs to
    /// the `rest`.
    Share {
        name: "share", example: "share = class",
        takes: Takes::Expression(|_, value| Ok(OptionValue::PerCall(PerCall::Share(value)))),
        beside_limiter: BesideLimiter::Allowed,
        excludes: &[(
            Term::Option(AttributeOption::Key),
            "a call has a share or a key; leave one of the two out",
        )],
        needs: Needs::Shares(
            "the limiter has no shares: add `shares = SHARES`, with \
             `const SHARES: &[Share] = &[Share::new(\"live\", 60)];`, or leave `share` out",
        ),
        refusal_effect: RefusalEffect::Unchanged,
    }

    /// The limit begins with this number, which lies in the range. The default is twice the lower end.
    Start {
        name: "start", example: "start = 50",
        takes: Takes::Expression(|rule, value| {
            let zero = "a limit of 0 would never admit a call: write a number of the range";
            let count = CountRule::USIZE_ONCE.without_zero(zero);
            count.read(rule.name, &value).map(OptionValue::number)
        }),
        beside_limiter: BesideLimiter::HasSetter(".start(…)"), excludes: &[],
        needs: Needs::Range(
            "a limit that is a number does not move, so it has no start: write a range, such as \
             `4..=200`, or leave `start` out",
        ),
        refusal_effect: RefusalEffect::Unchanged,
    }

    /// The limit stays at its start. Figures say which limit of the range the limiter would choose.
    Adapt {
        name: "adapt", example: "adapt = advise",
        takes: Takes::Expression(|_, value| words::read_adapt(&value).map(|()| OptionValue::Advise)),
        beside_limiter: BesideLimiter::HasSetter(".advise()"), excludes: &[],
        needs: Needs::Range(
            "a limit that is a number does not adapt: write a range, such as `4..=200`, or leave `adapt` \
             out",
        ),
        refusal_effect: RefusalEffect::Unchanged,
    }

    /// The limit favors calls that are soon done, or a backend that is never idle.
    Favor {
        name: "favor", example: "favor = latency",
        takes: Takes::Expression(|_, value| {
            words::read_favor(&value).map(|favor| OptionValue::Setter(SetterArg::Favor(favor)))
        }),
        beside_limiter: BesideLimiter::HasSetter(".favor(…)"), excludes: &[],
        needs: Needs::Range(
            "a limit that is a number does not move, so it favors nothing: write a range, such as \
             `4..=200`, or leave `favor` out",
        ),
        refusal_effect: RefusalEffect::Unchanged,
    }

    /// At most LIMIT calls start in any window of this length, and at most LIMIT run at once. The
    /// value is a span of time, or a constant of type `Duration`.
    Per {
        name: "per", example: "per = \"60s\"",
        takes: Takes::Expression(|rule, value| {
            let zero = "a window of no length limits nothing";
            let window = duration::read_length(rule.name, rule.example, value, zero)?;
            Ok(OptionValue::Setter(SetterArg::Time(window)))
        }),
        beside_limiter: BesideLimiter::HasSetter(".per(…)"),
        excludes: &[
            (
                Term::Fleet,
                "permits move from process to process, and their windows do not move with them; leave \
                 one of the two out",
            ),
            (Term::AdaptiveLimit, NOT_OF_STARTS),
            (Term::AdaptiveTotal, NOT_OF_STARTS),
        ],
        needs: Needs::Nothing, refusal_effect: RefusalEffect::Unchanged,
    }

    /// After a start, and after as long a rest, the limit begins with one permit and rises to LIMIT over this time, while
    /// what stands behind it warms up. The value is a span of time, or a constant of type `Duration`.
    Ramp {
        name: "ramp", example: "ramp = \"30s\"",
        takes: Takes::Expression(|rule, value| {
            let zero = "a ramp of no length lets all in at once";
            let time = duration::read_length(rule.name, rule.example, value, zero)?;
            Ok(OptionValue::Setter(SetterArg::Time(time)))
        }),
        beside_limiter: BesideLimiter::HasSetter(".ramp(…)"),
        excludes: &[
            (
                Term::Option(AttributeOption::Per),
                "nobody could say whether a call waits for the ramp or for a window; leave one of the two out",
            ),
            (
                Term::Option(AttributeOption::Shadow),
                "a shadow holds no call back, so nothing warms up in peace; leave one of the two out",
            ),
            (
                Term::Fleet,
                "the processes of a fleet do not ramp together yet; leave one of the two out",
            ),
            (Term::AdaptiveLimit, RISES_ALREADY),
            (Term::AdaptiveTotal, RISES_ALREADY),
        ],
        needs: Needs::TotalOfKeys(
            "with `key` the total rises, and there is none: add `total = …`, or leave `ramp` out",
        ),
        refusal_effect: RefusalEffect::Unchanged,
    }

    /// A refused call gives the value of this expression. See [below](#calls-that-are-refused).
    OnReject {
        name: "on_reject",
        example: "on_reject = |rejected| …" (in a table: "on_reject = \\|rejected\\| …"),
        takes: Takes::Expression(|_, value| OnReject::read(&value).map(OptionValue::OnReject)),
        beside_limiter: BesideLimiter::Allowed,
        excludes: &[(
            Term::Option(AttributeOption::Shadow),
            "with `shadow` no call is ever refused; leave one of the two out",
        )],
        needs: Needs::Refusals, refusal_effect: RefusalEffect::Unchanged,
    }

    /// A limit that adapts counts a call as one that found its backend overloaded, if the expression
    /// gives `true` for the output of the body, or a `Duration` for which new calls are held off. See
    /// [below](#limits-that-find-themselves).
    Overload {
        name: "overload",
        example: "overload = |output| …" (in a table: "overload = \\|output\\| …"),
        takes: Takes::Expression(|_, value| overload::read(value).map(OptionValue::Overload)),
        beside_limiter: BesideLimiter::Allowed,
        excludes: &[(
            Term::Option(AttributeOption::Permit),
            "the body has the permit and says it itself; leave `overload` out, and write \
             `permit.overloaded()` in the body",
        )],
        needs: Needs::Range(
            "a limit that is a number does not adapt, so the output would never be looked at: write a \
             range, such as `4..=200`, or leave `overload` out",
        ),
        refusal_effect: RefusalEffect::Unchanged,
    }

    /// The body has its permit in a variable of this name, and can move it to a spawned task,
    /// `spawn_blocking` or a returned stream. To change its weight, write `let mut permit = permit;` in the body. Without the option the permit comes back when the body
    /// ends.
    Permit {
        name: "permit", example: "permit = permit",
        takes: Takes::Expression(|_, value| {
            words::read_permit_name(&value).map(OptionValue::Permit)
        }),
        beside_limiter: BesideLimiter::Allowed,
        excludes: &[(
            Term::Cancels,
            "the body has the permit, and may hold it for longer than it runs; leave one of the two \
             out, and wait for `permit.lease_lost()` where the work can stop",
        )],
        needs: Needs::Nothing, refusal_effect: RefusalEffect::Unchanged,
    }

    /// The function, which is not async, becomes async and runs on tokio's blocking pool. See
    /// [below](#functions-that-block).
    Blocking {
        name: "blocking", example: "blocking",
        takes: Takes::Nothing(|| OptionValue::Blocking),
        beside_limiter: BesideLimiter::Allowed,
        excludes: &[(
            Term::Cancels,
            "a thread that blocks cannot be stopped; leave one of the two out, or take the permit \
             (`permit = permit`) and look at `permit.is_valid()` where the work can stop",
        )],
        needs: Needs::Nothing, refusal_effect: RefusalEffect::Unchanged,
    }

    /// With `false` the call is admitted whatever the limit, and is counted. Each call evaluates the
    /// value.
    Enabled {
        name: "enabled", example: "enabled = true",
        takes: Takes::Expression(|rule, value| {
            let enabled = words::read_bool(rule.name, value)?;
            Ok(OptionValue::PerCall(PerCall::Enabled(enabled)))
        }),
        beside_limiter: BesideLimiter::Allowed, excludes: &[],
        needs: Needs::Nothing, refusal_effect: RefusalEffect::Unchanged,
    }

    /// No call waits and no call is refused. The limiter counts what the limit would have done.
    Shadow {
        name: "shadow", example: "shadow",
        takes: Takes::Nothing(|| OptionValue::Setter(SetterArg::Nothing)),
        beside_limiter: BesideLimiter::HasSetter(".shadow()"),
        excludes: &[
            (
                Term::Fleet,
                "a shadow takes permits beyond the limit, and the fleet has no more to give; leave one \
                 of the two out",
            ),
            (Term::AdaptiveLimit, SHADOW_LEARNS_NOTHING),
            (Term::AdaptiveTotal, SHADOW_LEARNS_NOTHING),
        ],
        needs: Needs::Nothing, refusal_effect: RefusalEffect::NeverRefuses,
    }

    /// The path of the `limit_runtime` crate, if it is renamed or re-exported.
    Crate {
        name: "crate", example: "crate = path::to::limit_runtime",
        takes: Takes::Expression(|_, value| {
            words::read_crate_path(&value).map(OptionValue::Crate)
        }),
        beside_limiter: BesideLimiter::Allowed, excludes: &[],
        needs: Needs::Nothing, refusal_effect: RefusalEffect::Unchanged,
    }
}
