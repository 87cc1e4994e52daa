//! Values that are spans of time.

use crate::syntax::strip_parens;
use std::time::Duration;
use syn::{Error, Expr, ExprLit, Lit, Result, UnOp};

/// The units from large to small: their names, and their length in nanoseconds.
const UNITS: [(&[&str], u128); 7] = [
    (&["d"], 86_400_000_000_000),
    (&["h"], 3_600_000_000_000),
    (&["m", "min"], 60_000_000_000),
    (&["s"], 1_000_000_000),
    (&["ms"], 1_000_000),
    // Two letters look alike: the micro sign and the Greek mu.
    (&["us", "µs", "μs"], 1_000),
    (&["ns"], 1),
];

/// The word for a time that never comes.
const NEVER: &str = "never";

/// A span of time.
pub(crate) enum DurationArg {
    /// The span is written out, such as `"50ms"`.
    Literal(Duration),
    /// The span is the expression's value.
    Expression(Expr),
}

/// Returns the value of `option`, or an error if its form alone shows that it is no span of time.
/// `example` is the option with a value, for messages.
///
/// ```text
/// // before
/// "1m30s"
///
/// // after
/// Duration::from_secs(90)
/// ```
pub(in crate::args) fn read(option: &str, example: &str, value: Expr) -> Result<DurationArg> {
    let problem = match strip_parens(&value) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            return match parse(&text.value()) {
                Ok(duration) => Ok(DurationArg::Literal(duration)),
                Err(problem) => {
                    Err(Error::new_spanned(text, format!("{problem}: write `{example}`")))
                }
            };
        }
        Expr::Lit(ExprLit { lit: Lit::Int(_) | Lit::Float(_), .. }) => {
            format!("`{option}` needs a unit: write `{example}`")
        }
        Expr::Lit(_) | Expr::Infer(_) | Expr::Tuple(_) | Expr::Range(_) => {
            format!("`{option}` is a span of time: write `{example}`")
        }
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            format!("`{option}` is not negative: write `{example}`")
        }
        Expr::Closure(_) => {
            format!("`{option}` is a span of time, not a closure: write the expression alone")
        }
        _ => return Ok(DurationArg::Expression(value)),
    };
    Err(Error::new_spanned(strip_parens(&value), problem))
}

/// Returns the value of `option`, which is a length that is not zero. `zero` says why not.
pub(in crate::args) fn read_length(
    option: &str,
    example: &str,
    value: Expr,
    zero: &str,
) -> Result<DurationArg> {
    let text = strip_parens(&value).clone();
    match read(option, example, value)? {
        DurationArg::Literal(Duration::ZERO) => Err(Error::new_spanned(
            text,
            format!("{zero}: write a longer one, or leave `{option}` out"),
        )),
        length => Ok(length),
    }
}

/// Returns the value of `option`, which is a time that is not zero, or the word `never`: the longest time.
pub(in crate::args) fn read_time_or_never(
    option: &str,
    example: &str,
    value: Expr,
) -> Result<DurationArg> {
    let token = strip_parens(&value).clone();
    let problem = match &token {
        Expr::Path(path) if path.path.is_ident(NEVER) => {
            return Ok(DurationArg::Literal(Duration::MAX));
        }
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value().trim() == NEVER => {
            format!("`{NEVER}` is written without quotes: `{option} = {NEVER}`")
        }
        _ => match read(option, example, value)? {
            DurationArg::Literal(Duration::ZERO) => {
                format!(
                    "`{option}` cannot be zero, no call is so quick: write `{example}`, or \
                     `{option} = {NEVER}`"
                )
            }
            time => return Ok(time),
        },
    };
    Err(Error::new_spanned(token, problem))
}

/// Reads a span such as `1h30m` or `50ms`, or says what is wrong with it.
fn parse(text: &str) -> std::result::Result<Duration, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(String::from("there is no span of time between the quotes"));
    }
    let mut nanoseconds = 0_u128;
    // The index of the unit before, to refuse a unit that is not smaller.
    let mut last = None;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        if number.is_empty() {
            let wrong = if unit.is_empty() { &rest[..first_char_len(rest)] } else { unit };
            return Err(format!("expected a number before `{wrong}`"));
        }
        if after.starts_with(['.', ',', '_']) && unit.is_empty() {
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
        rest = after.trim_start();
    }
    let seconds = u64::try_from(nanoseconds / 1_000_000_000).map_err(|_| too_long())?;
    let rest = u32::try_from(nanoseconds % 1_000_000_000).unwrap_or_default();
    Ok(Duration::new(seconds, rest))
}

fn too_long() -> String {
    format!("this span of time is too long, the longest is {} seconds", u64::MAX)
}

/// Returns the length of the first character in bytes.
fn first_char_len(text: &str) -> usize {
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
    fn text_that_is_no_span_of_time_is_refused() {
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
