//! The options: one row each.

use super::values;
use super::written::Written;
use super::{Asked, OnReject, count, duration, existing};
use syn::{Expr, Result};

/// One option of the attribute.
pub(super) struct OptionRule {
    pub(super) name: &'static str,
    /// How it is written, for messages.
    pub(super) example: &'static str,
    /// What cannot stand beside it, whichever comes first, and why.
    pub(super) excludes: &'static [(&'static str, &'static str)],
    pub(super) value: Value,
}

/// What stands to the right of an option.
pub(super) enum Value {
    /// Nothing: the option is a word alone.
    None(fn(&mut Written)),
    /// An expression, which is checked and kept. If more is excluded because of it, the answer is
    /// what that is called.
    Expression(fn(&mut Written, Expr) -> Result<Option<&'static str>>),
}

/// Stands for the limit in [`OptionRule::excludes`].
pub(super) const LIMIT: &str = "LIMIT";
/// Stands for a `max_waiting` of zero.
const NEVER_WAITS: &str = "max_waiting = 0";
/// Stands for an `order` that is not the usual one.
const NEWEST_FIRST: &str = "order = lifo";

const BRINGS_ITS_OWN: &str = "an existing limiter brings its own limit, name, scope and variable; \
     leave one of the two out";
const NOBODY_WAITS: &str =
    "with `max_waiting = 0` no call ever waits; leave one of the two out, or let some wait";

/// All that is not excluded here may stand beside one another. In particular:
///
/// * beside `limiter`: what is asked anew for each call (`key`, `weight`, `priority`, `max_wait`,
///   `enabled`) and what is done with the answer (`on_reject`, `permit`, `blocking`);
/// * with `shadow`: `max_waiting`, `weight`, `per` and `key`, whose would-be refusals and waits are
///   counted; `order` and `priority`, which then mean nothing, so that a policy can be tried out as
///   it will be; `enabled`, without which not even that is counted;
/// * with `key`: all of them; each key has its own queue, and its own window where there is `per`.
pub(super) const OPTIONS: [OptionRule; 18] = [
    OptionRule {
        name: "name",
        example: "name = \"…\"",
        excludes: &[],
        value: Value::Expression(|written, value| {
            written.name = Some(values::string("name", &value)?);
            Ok(None)
        }),
    },
    OptionRule {
        name: "scope",
        example: "scope = process",
        excludes: &[],
        value: Value::Expression(|written, value| {
            written.shared_by_process = values::scope(&value)?;
            Ok(None)
        }),
    },
    OptionRule {
        name: "limiter",
        example: "limiter = LIMITER",
        excludes: &[
            (LIMIT, BRINGS_ITS_OWN),
            ("name", BRINGS_ITS_OWN),
            ("scope", BRINGS_ITS_OWN),
            ("env", BRINGS_ITS_OWN),
            (
                "max_waiting",
                "an existing limiter brings its own policy; write `.max_waiting(…)` where it is made",
            ),
            (
                "order",
                "an existing limiter brings its own policy; write `.order(…)` where it is made",
            ),
            ("per", "an existing limiter brings its own policy; write `.per(…)` where it is made"),
            (
                "total",
                "an existing limiter brings its own policy; write `.keyed().total(…)` where it is \
                 made",
            ),
            (
                "shadow",
                "an existing limiter brings its own policy; write `.shadow()` where it is made",
            ),
        ],
        value: Value::Expression(|written, value| {
            existing::check(&value)?;
            written.asked.push(Asked::Limiter(value));
            Ok(None)
        }),
    },
    OptionRule {
        name: "env",
        example: "env = \"VAR\"",
        excludes: &[],
        value: Value::Expression(|written, value| {
            written.env = Some(values::variable(&value)?);
            Ok(None)
        }),
    },
    OptionRule {
        name: "max_waiting",
        example: "max_waiting = 100",
        excludes: &[],
        value: Value::Expression(|written, value| {
            let value = count::MAX_WAITING.check(&value)?;
            let meaning = count::is_zero(&value).then_some(NEVER_WAITS);
            written.max_waiting = Some(value);
            Ok(meaning)
        }),
    },
    OptionRule {
        name: "max_wait",
        example: "max_wait = \"50ms\"",
        excludes: &[
            (
                NEVER_WAITS,
                "with `max_waiting = 0` no call ever waits, so none can time out; leave one of the \
                 two out",
            ),
            (
                "shadow",
                "with `shadow` no call ever waits, so none can time out; leave one of the two out",
            ),
        ],
        value: Value::Expression(|written, value| {
            written.asked.push(duration::max_wait(value)?);
            Ok(None)
        }),
    },
    OptionRule {
        name: "order",
        example: "order = lifo",
        excludes: &[(NEVER_WAITS, NOBODY_WAITS)],
        value: Value::Expression(|written, value| {
            written.newest_first = values::order(&value)?;
            Ok(written.newest_first.then_some(NEWEST_FIRST))
        }),
    },
    OptionRule {
        name: "priority",
        example: "priority = 5",
        excludes: &[
            (NEVER_WAITS, NOBODY_WAITS),
            (
                NEWEST_FIRST,
                "with `order = lifo` the newest call is served first, whatever its priority; leave \
                 one of the two out",
            ),
        ],
        value: Value::Expression(|written, value| {
            written.asked.push(Asked::Priority(count::PRIORITY.check(&value)?));
            Ok(None)
        }),
    },
    OptionRule {
        name: "weight",
        example: "weight = 2",
        excludes: &[],
        value: Value::Expression(|written, value| {
            written.asked.push(Asked::Weight(count::WEIGHT.check(&value)?));
            Ok(None)
        }),
    },
    OptionRule {
        name: "key",
        example: "key = tenant",
        excludes: &[],
        value: Value::Expression(|written, value| {
            written.asked.push(Asked::Key(value));
            Ok(None)
        }),
    },
    OptionRule {
        name: "total",
        example: "total = 100",
        excludes: &[],
        value: Value::Expression(|written, value| {
            written.total = Some(count::TOTAL.check(&value)?);
            Ok(None)
        }),
    },
    OptionRule {
        name: "per",
        example: "per = \"60s\"",
        excludes: &[],
        value: Value::Expression(|written, value| {
            written.per = Some(duration::per(value)?);
            Ok(None)
        }),
    },
    OptionRule {
        name: "on_reject",
        example: "on_reject = |rejected| …",
        excludes: &[("shadow", "with `shadow` no call is ever refused; leave one of the two out")],
        value: Value::Expression(|written, value| {
            written.on_reject = Some(OnReject::new(&value)?);
            Ok(None)
        }),
    },
    OptionRule {
        name: "permit",
        example: "permit = permit",
        excludes: &[],
        value: Value::Expression(|written, value| {
            written.permit = Some(values::binding(&value)?);
            Ok(None)
        }),
    },
    OptionRule {
        name: "blocking",
        example: "blocking",
        excludes: &[],
        // That it was given is all.
        value: Value::None(|_| {}),
    },
    OptionRule {
        name: "enabled",
        example: "enabled = true",
        excludes: &[],
        value: Value::Expression(|written, value| {
            written.asked.push(Asked::Enabled(values::boolean(value)?));
            Ok(None)
        }),
    },
    OptionRule {
        name: "shadow",
        example: "shadow",
        excludes: &[],
        value: Value::None(|written| written.shadow = true),
    },
    OptionRule {
        name: "crate",
        example: "crate = path::to::limit_runtime",
        excludes: &[],
        value: Value::Expression(|written, value| {
            written.runtime = Some(values::path(&value)?);
            Ok(None)
        }),
    },
];

/// Why one cannot stand beside the other.
pub(super) fn contradiction(name: &str, other: &str) -> Option<&'static str> {
    let reason = |of: &str, beside: &str| {
        let rule = OPTIONS.iter().find(|rule| rule.name == of)?;
        rule.excludes.iter().find(|(excluded, _)| *excluded == beside).map(|(_, reason)| *reason)
    };
    reason(name, other).or_else(|| reason(other, name))
}

/// How a message calls an option, or the limit.
pub(super) fn quoted(name: &str) -> String {
    if name == LIMIT { String::from("a limit") } else { format!("`{name}`") }
}
