//! [`RawArgs`] put together into [`Args`].

use super::adaptation;
use super::checked::{Args, OwnLimiter, Policy, RefusalHandling, Setter, Source};
use super::options::{AttributeOption, Needs, OptionValue, RefusalEffect};
use super::per_call::PerCall;
use super::raw_args::{RawArgs, RawOption};
use super::setter_arg::SetterArg;
use super::values::duration::DurationArg;
use super::values::on_reject::OnReject;
use proc_macro2::{Ident, Span};
use syn::{Error, Expr, Result};

/// Puts the arguments together, or says which one is missing.
///
/// ```text
/// // before
/// RawArgs { limit: Some(3usize), options: [Key(tenant), MaxWaiting: Setter(10), OnReject(…)] }
///
/// // after
/// Args {
///     source: Own { limit: 3usize, policy: Policy { setters: [max_waiting(10), keyed()], … } },
///     per_call: [Key(tenant)],
///     refusals: Handled(…),
///     …
/// }
/// ```
pub(super) fn normalise(raw: RawArgs) -> Result<Args> {
    check_needs(&raw)?;
    adaptation::check(&raw)?;
    let refusal_source = RefusalSource::find(&raw);
    let is_existing = raw.is_existing();
    let is_fleet = raw.fleet().is_some();
    let mut policy = Policy::default();
    let mut per_call = Vec::new();
    let (mut on_reject, mut overload, mut permit) = (None, None, None);
    let (mut blocking, mut crate_path) = (None, None);
    for RawOption { option, word, value } in raw.options {
        let named = |arg| Setter { option, name: option.rule().name, arg };
        match value {
            OptionValue::Setter(arg) => policy.setters.push(named(arg)),
            OptionValue::PerCall(argument) => per_call.push(argument),
            OptionValue::Name(name) => policy.name = Some(name),
            // A time that is written out is the limiter's, so that it can be set while the program
            // runs.
            OptionValue::MaxWait(max_wait @ DurationArg::Literal(_)) if !is_existing => {
                policy.setters.push(named(SetterArg::Time(max_wait)));
            }
            OptionValue::MaxWait(max_wait) => per_call.push(PerCall::MaxWait(max_wait)),
            OptionValue::Key(key) => {
                policy.setters.push(Setter { option, name: "keyed", arg: SetterArg::Nothing });
                per_call.push(if is_fleet { PerCall::KeyText(key) } else { PerCall::Key(key) });
            }
            OptionValue::AdaptiveTotal(range) => {
                let arg = SetterArg::Range(range);
                policy.setters.push(Setter { option, name: "adaptive_total", arg });
            }
            OptionValue::Advise => {
                policy.setters.push(Setter { option, name: "advise", arg: SetterArg::Nothing });
            }
            OptionValue::Overload(value) => overload = Some(value),
            OptionValue::OnReject(value) => on_reject = Some(value),
            OptionValue::Permit(name) => permit = Some(name),
            OptionValue::Blocking => blocking = Some(word),
            OptionValue::Crate(path) => crate_path = Some(path),
        }
    }
    policy.setters.sort_by_key(|setter| setter.option as usize);
    let source = match (raw.all, raw.limit) {
        (Some(all), _) => Source::All(all),
        // Beside `limiter` the policy is unused: only `key` sets a part of it there.
        _ if is_existing => Source::Existing,
        (None, Some(limit)) => Source::Own(Box::new(OwnLimiter { limit, policy })),
        (None, None) => return Err(missing_limit(policy.env())),
    };
    let refusals = refusal_source.handle(on_reject);
    Ok(Args { source, per_call, refusals, overload, permit, blocking, crate_path })
}

/// Refuses an option that means nothing, because the argument that it needs is missing.
fn check_needs(raw: &RawArgs) -> Result<()> {
    for &option in AttributeOption::ALL {
        let Some(word) = raw.word(option) else {
            continue;
        };
        match option.rule().needs {
            Needs::Nothing => {}
            Needs::Option(needed, _) if raw.word(needed).is_some() => {}
            Needs::Fleet if raw.fleet().is_some() => {}
            Needs::Fleet => return Err(Error::new_spanned(word, no_fleet(option))),
            Needs::Range(_) if raw.range().is_some() => {}
            Needs::Shares(_) if raw.word(AttributeOption::Shares).is_some() => {}
            // An existing limiter may adapt, or have shares.
            Needs::Range(_) if raw.is_existing() => {}
            Needs::Shares(_) if raw.word(AttributeOption::Limiter).is_some() => {}
            Needs::KeysAndTotal(_)
                if raw.word(AttributeOption::Key).is_some()
                    && (raw.word(AttributeOption::Total).is_some()
                        || raw.word(AttributeOption::Limiter).is_some()) => {}
            Needs::TotalOfKeys(_)
                if raw.word(AttributeOption::Key).is_none()
                    || raw.word(AttributeOption::Total).is_some() => {}
            Needs::Option(_, problem)
            | Needs::TotalOfKeys(problem)
            | Needs::Range(problem)
            | Needs::Shares(problem)
            | Needs::KeysAndTotal(problem) => {
                return Err(Error::new_spanned(word, problem));
            }
            // Beside `shadow`, which no call waits with, a policy is tried out.
            Needs::MaxWaitForDeadlines(problem) => {
                let has_any = [AttributeOption::MaxWait, AttributeOption::Shadow];
                if raw.is_by_deadline() && has_any.iter().all(|&any| raw.word(any).is_none()) {
                    return Err(Error::new_spanned(word, problem));
                }
            }
            Needs::Refusals => {
                if let RefusalSource::Nothing = RefusalSource::find(raw) {
                    return Err(nothing_refuses(option, word));
                }
            }
        }
    }
    match raw.fleet() {
        Some(fleet) if raw.word(AttributeOption::Name).is_none() => Err(Error::new(
            fleet,
            "the processes of a fleet find their limit by its name, and the default name changes \
             when the code moves: write `scope = fleet, name = \"orders-db\"`",
        )),
        _ => Ok(()),
    }
}

/// Returns the text of the error for an option that needs `scope = fleet`.
fn no_fleet(option: AttributeOption) -> String {
    let name = option.rule().name;
    format!("`{name}` is about the permits of a fleet: add `scope = fleet`, or leave it out")
}

/// The argument because of which calls can be refused.
enum RefusalSource {
    Nothing,
    /// The existing limiter may refuse calls. With the word `limiter` or `all`.
    Limiter(Ident),
    /// An option can refuse calls. With the first such word.
    Option(Ident),
}

impl RefusalSource {
    fn find(raw: &RawArgs) -> Self {
        let first_with = |effect| raw.first_with(effect).cloned();
        let option = first_with(RefusalEffect::CanRefuse)
            .filter(|_| first_with(RefusalEffect::NeverRefuses).is_none());
        let all = raw.all.as_ref().map(|all| all.word.clone());
        match (option, all.or_else(|| first_with(RefusalEffect::LimiterDecides))) {
            (Some(option), _) => Self::Option(option),
            (None, Some(limiter)) => Self::Limiter(limiter),
            (None, None) => Self::Nothing,
        }
    }

    fn handle(self, on_reject: Option<Box<OnReject>>) -> RefusalHandling {
        match (self, on_reject) {
            (Self::Nothing, _) => RefusalHandling::Impossible,
            (_, Some(on_reject)) => RefusalHandling::Handled(on_reject),
            (Self::Limiter(word), None) => RefusalHandling::LimiterDecides(word),
            (Self::Option(word), None) => RefusalHandling::Returned(word),
        }
    }
}

/// Returns the error for an option that needs one that can refuse calls.
fn nothing_refuses(option: AttributeOption, word: &Ident) -> Error {
    let can_refuse = AttributeOption::ALL
        .iter()
        // It refuses calls in a deadlock alone, so it is no advice to others.
        .filter(|&&option| option != AttributeOption::OnDeadlock)
        .map(|option| option.rule())
        // Those of a fleet are no advice to others.
        .filter(|rule| matches!(rule.needs, Needs::Nothing))
        .filter(|rule| rule.refusal_effect == RefusalEffect::CanRefuse);
    let names: Vec<_> = can_refuse.map(|rule| format!("`{}`", rule.name)).collect();
    let names = match names.as_slice() {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        names => names.concat(),
    };
    Error::new_spanned(
        word,
        format!(
            "nothing here can refuse a call, so `{}` would never be evaluated: leave it out, or \
             add {names}",
            option.rule().name
        ),
    )
}

fn missing_limit(env: Option<&Expr>) -> Error {
    match env {
        Some(env) => Error::new_spanned(
            env,
            "`env` needs a limit to fall back on: write `#[concurrency_limit(3, env = \"…\")]`",
        ),
        None => Error::new(
            Span::call_site(),
            "how many at once? write `#[concurrency_limit(3)]`, or \
             `#[concurrency_limit(limiter = LIMITER)]` to use an existing limiter",
        ),
    }
}
