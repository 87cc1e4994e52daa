//! The calls of all workers, as the workers logged them: how many ran at once, for how long, and how they waited.

use std::ops::Range;

/// A call, in microseconds since the machine was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// When it asked for a permit.
    pub(crate) asked: u64,
    /// When its body began and ended.
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// `true` if it had lost its lease when it ended.
    pub(crate) lost: bool,
}

impl Call {
    pub(crate) fn write(&self) -> String {
        format!("call {} {} {} {}", self.asked, self.start, self.end, u8::from(self.lost))
    }

    /// Reads a line of a log. Returns `None` if it is about something else.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let mut numbers = line.strip_prefix("call ")?.split(' ').map(|word| word.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Self { asked: next()?, start: next()?, end: next()?, lost: next()? != 0 })
    }
}

/// Returns the most calls that ran at once with a lease.
///
/// A call that ends at the moment at which another starts does not run beside it: the permit has passed from one to
/// the other.
pub(crate) fn most_at_once(logs: &[Vec<Call>]) -> usize {
    let calls = logs.iter().flatten().filter(|call| !call.lost);
    // `false` comes first: an end before a start.
    let mut changes: Vec<(u64, bool)> =
        calls.flat_map(|call| [(call.start, true), (call.end, false)]).collect();
    changes.sort_unstable();
    let (mut running, mut most) = (0_usize, 0);
    for (_, starts) in changes {
        // A call that ended in the microsecond in which it began is seen to end first.
        running = if starts { running + 1 } else { running.saturating_sub(1) };
        most = most.max(running);
    }
    most
}

/// Returns the microseconds for which the calls of one worker ran in a window, summed.
pub(crate) fn busy(calls: &[Call], window: &Range<u64>) -> u64 {
    let inside = |at: u64| at.clamp(window.start, window.end);
    calls.iter().map(|call| inside(call.end) - inside(call.start)).sum()
}

/// Returns the permit-microseconds of a window in which a permit was idle while a call waited for one.
pub(crate) fn idle_while_wanted(logs: &[Vec<Call>], limit: u32, window: &Range<u64>) -> u64 {
    let inside = |at: u64| at.clamp(window.start, window.end);
    // A time, and by how much it changes the number of calls that wait and of those that run.
    let changes = |call: &Call| [(call.asked, 1, 0), (call.start, -1, 1), (call.end, 0, -1)];
    let mut changes: Vec<(u64, i64, i64)> = logs.iter().flatten().flat_map(changes).collect();
    changes.sort_unstable();
    let (mut idle, mut before, mut waiting, mut running) = (0, window.start, 0, 0);
    for (at, more_wait, more_run) in changes {
        let wanted = (i64::from(limit) - running).clamp(0, i64::max(waiting, 0));
        idle += wanted.unsigned_abs() * (inside(at) - before);
        (before, waiting, running) = (inside(at), waiting + more_wait, running + more_run);
    }
    idle
}

/// Returns the calls whose bodies began in a window.
pub(crate) fn started(logs: &[Vec<Call>], window: &Range<u64>) -> Vec<Call> {
    logs.iter().flatten().filter(|call| window.contains(&call.start)).copied().collect()
}

/// Returns Jain's index of fairness: 1 if all have the same, 1 / n if one has all.
pub(crate) fn jain(shares: &[f64]) -> f64 {
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for share in shares {
        count += 1.0;
        sum += share;
        squares += share * share;
    }
    sum * sum / (count * squares)
}

/// Returns the value below which `part` of the values lie: the nearest rank. `NaN` if there is none.
pub(crate) fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank is a small whole number"
    )]
    let rank = (values.len() as f64 * part).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(start: u64, end: u64) -> Call {
        Call { asked: start, start, end, lost: false }
    }

    #[test]
    fn a_call_is_read_as_it_was_written() {
        let lost = Call { asked: 1, start: 2, end: 3, lost: true };
        assert_eq!(Call::read(&lost.write()), Some(lost));
        assert_eq!(Call::read("ready"), None);
    }

    #[test]
    fn calls_of_all_workers_that_overlap_are_counted() {
        let logs = [vec![call(0, 10), call(10, 20)], vec![call(5, 15)], vec![call(14, 16)]];
        assert_eq!(most_at_once(&logs), 3);
        assert_eq!(most_at_once(&logs[..1]), 1, "one after the other");
    }

    #[test]
    fn a_call_without_a_lease_does_not_count() {
        let lost = Call { lost: true, ..call(0, 10) };
        assert_eq!(most_at_once(&[vec![call(0, 10), lost]]), 1);
    }

    #[test]
    fn only_the_time_in_the_window_counts() {
        let calls = [call(0, 10), call(8, 30), call(40, 50)];
        assert_eq!(busy(&calls, &(5..20)), 5 + 12);
        assert_eq!(started(&[calls.to_vec()], &(8..40)).len(), 1);
    }

    #[test]
    fn a_permit_is_idle_while_a_call_waits_for_it() {
        let waits = Call { asked: 2, ..call(7, 10) };
        let logs = [vec![call(0, 5)], vec![waits]];
        assert_eq!(idle_while_wanted(&logs, 1, &(0..20)), 2, "from 5 to 7");
        assert_eq!(idle_while_wanted(&logs, 2, &(0..20)), 5, "from 2 to 7");
        assert_eq!(idle_while_wanted(&logs, 2, &(3..6)), 3);
    }

    #[test]
    fn fairness_goes_from_one_for_all_to_one() {
        assert!((jain(&[2.0, 2.0, 2.0, 2.0]) - 1.0).abs() < 1e-9);
        assert!((jain(&[2.0, 0.0, 0.0, 0.0]) - 0.25).abs() < 1e-9);
    }

    #[test]
    fn percentiles_are_the_nearest_rank() {
        let mut values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert!((percentile(&mut values, 0.5) - 100.0).abs() < 1e-9);
        assert!((percentile(&mut values, 0.99) - 198.0).abs() < 1e-9);
        assert!(percentile(&mut [], 0.5).is_nan());
    }
}
