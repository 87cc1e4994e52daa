//! Spans of time for people.

use std::time::Duration;

/// The units from small to large, with their length in nanoseconds.
const UNITS: [(&str, u128); 4] =
    [("ns", 1), ("µs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];

/// Returns a duration with at most three significant digits, such as `20.1ms` or `5s`.
pub(crate) fn duration_text(duration: Duration) -> String {
    let nanoseconds = round(duration.as_nanos());
    let fits = |(_, length): &&(&str, u128)| *length <= nanoseconds;
    let &(unit, length) = UNITS.iter().rev().find(fits).unwrap_or(&("s", UNITS[3].1));
    let mut text = (nanoseconds / length).to_string();
    let fraction = nanoseconds % length;
    if fraction > 0 {
        let digits = length.ilog10() as usize;
        let fraction = format!("{fraction:0digits$}");
        text.push('.');
        text.push_str(fraction.trim_end_matches('0'));
    }
    text.push_str(unit);
    text
}

/// Rounds to three significant digits, and to whole seconds from 100 seconds up.
fn round(nanoseconds: u128) -> u128 {
    let digits = nanoseconds.checked_ilog10().unwrap_or(0);
    let step = 10_u128.pow(digits.saturating_sub(2)).min(UNITS[3].1);
    (nanoseconds + step / 2) / step * step
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_three_significant_digits() {
        for (nanoseconds, text) in [
            (0, "0s"),
            (7, "7ns"),
            (999, "999ns"),
            (1_000, "1µs"),
            (1_234, "1.23µs"),
            (5_000_000, "5ms"),
            (20_147_769, "20.1ms"),
            (20_150_000, "20.2ms"),
            (105_049_000, "105ms"),
            (999_499_999, "999ms"),
            (999_500_000, "1s"),
            (1_005_000_000, "1.01s"),
            (59_960_000_000, "60s"),
            (3_599_600_000_000, "3600s"),
        ] {
            let duration = Duration::from_nanos(nanoseconds);
            assert_eq!(duration_text(duration), text, "{duration:?}");
        }
        assert_eq!(duration_text(Duration::MAX), "18446744073709551616s");
    }
}
