//! Options that are spans of time.

use super::{Asked, Per, bare};
use std::time::Duration;
use syn::{Error, Expr, ExprLit, Lit, LitStr, Result, UnOp};

/// The units, from large to small.
const UNITS: [(&[&str], u128); 7] = [
    (&["d"], 86_400_000_000_000),
    (&["h"], 3_600_000_000_000),
    (&["m", "min"], 60_000_000_000),
    (&["s"], 1_000_000_000),
    (&["ms"], 1_000_000),
    // Both signs that look like this: the micro sign and the Greek letter.
    (&["us", "µs", "μs"], 1_000),
    (&["ns"], 1),
];

/// The value of `max_wait`.
pub(super) fn max_wait(value: Expr) -> Result<Asked> {
    match literal("max_wait", "50ms", &value)? {
        Some((_, duration)) => Ok(Asked::MaxWaitOf(duration)),
        None => Ok(Asked::MaxWait(value)),
    }
}

/// The value of `per`.
pub(super) fn per(value: Expr) -> Result<Per> {
    match literal("per", "60s", &value)? {
        Some((text, Duration::ZERO)) => Err(Error::new_spanned(
            text,
            "a window of no length limits nothing: write a longer one, or leave `per` out",
        )),
        Some((_, duration)) => Ok(Per::Literal(duration)),
        None => Ok(Per::Expression(value)),
    }
}

/// A span of time that is written as such; `None` for an expression.
fn literal<'a>(
    option: &str,
    example: &str,
    value: &'a Expr,
) -> Result<Option<(&'a LitStr, Duration)>> {
    let problem = match bare(value) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            return match parse(&text.value()) {
                Ok(duration) => Ok(Some((text, duration))),
                Err(problem) => Err(Error::new_spanned(
                    text,
                    format!("{problem}: write `{option} = \"{example}\"`"),
                )),
            };
        }
        Expr::Lit(ExprLit { lit: Lit::Int(_) | Lit::Float(_), .. }) => {
            format!("`{option}` needs a unit: write `{option} = \"{example}\"`")
        }
        Expr::Lit(_) | Expr::Infer(_) | Expr::Tuple(_) | Expr::Range(_) => {
            format!("`{option}` is a span of time: write `{option} = \"{example}\"`")
        }
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            format!("`{option}` is not negative: write `{option} = \"{example}\"`")
        }
        Expr::Closure(_) => {
            format!("`{option}` is a span of time, not a closure: write the expression alone")
        }
        _ => return Ok(None),
    };
    Err(Error::new_spanned(bare(value), problem))
}

/// Reads `1h30m`, `50ms`.
fn parse(text: &str) -> std::result::Result<Duration, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(String::from("there is no span of time between the quotes"));
    }
    let mut nanoseconds = 0_u128;
    let mut last = None;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, behind) = rest.split_at(digits);
        let behind = behind.trim_start();
        let letters = behind.find(|c: char| !c.is_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        if number.is_empty() {
            let found = if unit.is_empty() { &rest[..first_char(rest)] } else { unit };
            return Err(format!("expected a number before `{found}`"));
        }
        if behind.starts_with(['.', ',', '_']) && unit.is_empty() {
            return Err(format!("`{}` is not a whole number of units", rest.trim_end()));
        }
        if unit.is_empty() {
            return Err(format!("`{number}` has no unit (`ns`, `us`, `ms`, `s`, `m`, `h` or `d`)"));
        }
        let Some(index) = UNITS.iter().position(|(names, _)| names.contains(&unit)) else {
            return Err(format!(
                "unknown unit `{unit}` (known are `ns`, `us`, `ms`, `s`, `m`, `h` and `d`)"
            ));
        };
        if last.is_some_and(|last| index <= last) {
            return Err(String::from(
                "units go from large to small, each of them once, as in `1m30s`",
            ));
        }
        last = Some(index);
        nanoseconds = number
            .parse::<u128>()
            .ok()
            .and_then(|number| number.checked_mul(UNITS[index].1))
            .and_then(|more| nanoseconds.checked_add(more))
            .ok_or_else(too_long)?;
        rest = behind.trim_start();
    }
    let seconds = u64::try_from(nanoseconds / 1_000_000_000).map_err(|_| too_long())?;
    let rest = u32::try_from(nanoseconds % 1_000_000_000).unwrap_or_default();
    Ok(Duration::new(seconds, rest))
}

fn too_long() -> String {
    format!("this span of time is too long, the longest is {} seconds", u64::MAX)
}

fn first_char(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::{Duration, parse};

    #[test]
    fn spans_of_time_are_read_to_the_nanosecond() {
        let hour = 3600;
        for (text, seconds, nanoseconds) in [
            ("50ms", 0, 50_000_000),
            ("60s", 60, 0),
            ("1m30s", 90, 0),
            ("1min", 60, 0),
            ("2h", 2 * hour, 0),
            ("1d1h1m1s1ms1us1ns", 25 * hour + 61, 1_001_001),
            ("7µs", 0, 7_000),
            ("7μs", 0, 7_000),
            ("1500ms", 1, 500_000_000),
            (" 1 m 30 s ", 90, 0),
            ("0ms", 0, 0),
            ("18446744073709551615s999999999ns", u64::MAX, 999_999_999),
        ] {
            assert_eq!(parse(text), Ok(Duration::new(seconds, nanoseconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_of_time_is_refused() {
        for text in [
            "",
            " ",
            "5",
            "s",
            "5 5s",
            "5x",
            "5S",
            "-5s",
            "+5s",
            "1.5s",
            "1,5s",
            "1_000ms",
            "5s5",
            "5s,",
            "1s1m",
            "1s 1s",
            "٣s",
            "5\u{a0}x",
            "18446744073709551616s",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
