//! The checker: reads what processes have written, and says how many calls ran at once.
//!
//! It takes only times from the lines, all of one clock. A call is written down after it got its permit, and its end
//! before it gives the permit back. So a call is never taken for longer than it had its permit.

use std::collections::HashMap;

/// A time, in microseconds.
pub(crate) type Micros = u64;

/// A call, as its process has written it down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) limiter: String,
    pub(crate) begin: Micros,
    /// `true` if it had a lease when it began.
    pub(crate) leased: bool,
    pub(crate) token: Option<u64>,
    /// The last time at which it had its lease, if it lost it.
    pub(crate) lost: Option<Micros>,
    /// `None` while it runs.
    pub(crate) end: Option<Micros>,
}

impl Call {
    /// Returns the time in which it ran with a lease. `None` if it never did, or if its end is not known.
    fn with_lease(&self) -> Option<(Micros, Micros)> {
        let end = self.lost.or(self.end).filter(|_| self.leased)?;
        Some((self.begin, end))
    }

    fn in_all(&self) -> Option<(Micros, Micros)> {
        Some((self.begin, self.end?))
    }
}

/// The last line of a process about its share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// The limit in force over the fleet, and the one that the process wants.
    pub(crate) limit: u32,
    pub(crate) limit_here: u32,
    pub(crate) permits: u32,
    pub(crate) running: u32,
    pub(crate) waiting: u32,
    pub(crate) nodes: u32,
    pub(crate) learning: bool,
}

/// All that a process has written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) calls: Vec<Call>,
    pub(crate) refusals: Vec<(Micros, String)>,
    pub(crate) shares: HashMap<String, Share>,
    /// The results of starts of the fleet, the time when it was left, and new warnings.
    pub(crate) events: Vec<(Micros, String)>,
}

impl Log {
    /// Reads the next line.
    pub(crate) fn read(&mut self, line: &str) {
        self.try_read(line).unwrap_or_else(|| panic!("a line that nobody can read: {line}"));
    }

    fn try_read(&mut self, line: &str) -> Option<()> {
        let (at, text) = line.split_once(' ')?;
        let at = at.parse().ok()?;
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            ["begin", number, limiter, lease, token] => {
                assert_eq!(number.parse(), Ok(self.calls.len()), "calls are in order");
                self.calls.push(Call {
                    limiter: limiter.to_owned(),
                    begin: at,
                    leased: lease == "leased",
                    token: token.parse().ok(),
                    lost: None,
                    end: None,
                });
            }
            ["lost", number, last] => {
                self.calls.get_mut(number.parse::<usize>().ok()?)?.lost = Some(last.parse().ok()?);
            }
            ["end", number] => {
                self.calls.get_mut(number.parse::<usize>().ok()?)?.end = Some(at);
            }
            ["refused", kind] => self.refusals.push((at, kind.to_owned())),
            ["share", limiter, limit, limit_here, share, running, waiting, nodes, learning] => {
                let number = |word: &str| word.parse().ok();
                let share = Share {
                    limit: number(limit)?,
                    limit_here: number(limit_here)?,
                    permits: number(share)?,
                    running: number(running)?,
                    waiting: number(waiting)?,
                    nodes: number(nodes)?,
                    learning: learning == "true",
                };
                self.shares.insert(limiter.to_owned(), share);
            }
            ["started" | "left" | "failed" | "warning", ..] => {
                self.events.push((at, text.to_owned()));
            }
            _ => return None,
        }
        Some(())
    }

    /// Ends the calls that run: the process was alive until this time, and then it was killed.
    pub(crate) fn end(&mut self, at: Micros) {
        for call in &mut self.calls {
            call.end.get_or_insert(at.max(call.begin));
        }
    }

    /// Returns the calls that began from a time on.
    pub(crate) fn since(&self, from: Micros) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(move |call| call.begin >= from)
    }
}

/// Which calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    WithLease,
    All,
}

/// Returns the times of the calls of a limiter, of all logs, as far as they lie after `from`.
fn times(
    logs: &[Log],
    limiter: &str,
    which: Which,
    from: Micros,
) -> impl Iterator<Item = (Micros, Micros)> {
    let calls = logs.iter().flat_map(|log| &log.calls).filter(move |call| call.limiter == limiter);
    let times = calls.filter_map(move |call| match which {
        Which::WithLease => call.with_lease(),
        Which::All => call.in_all(),
    });
    times.map(move |(begin, end)| (begin.max(from), end)).filter(|(begin, end)| begin < end)
}

/// Returns the most calls of a limiter that ran at once after `from`. Calls whose end is not known do not count.
pub(crate) fn most_at_once(logs: &[Log], limiter: &str, which: Which, from: Micros) -> usize {
    let mut changes: Vec<(Micros, bool)> = times(logs, limiter, which, from)
        .flat_map(|(begin, end)| [(begin, true), (end, false)])
        .collect();
    // An end comes before a beginning at the same time: the permit has passed from one to the other.
    changes.sort_unstable();
    let (mut running, mut most) = (0, 0);
    for (_, begins) in changes {
        if begins {
            running += 1;
            most = most.max(running);
        } else {
            running -= 1;
        }
    }
    most
}

/// Returns the part of `limit` permits that calls had between two times.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) fn utilisation(
    logs: &[Log],
    limiter: &str,
    limit: u32,
    from: Micros,
    to: Micros,
) -> f64 {
    let times = times(logs, limiter, Which::All, from);
    let busy: u64 = times.map(|(begin, end)| end.min(to).saturating_sub(begin)).sum();
    busy as f64 / (f64::from(limit) * (to - from) as f64)
}

/// Returns Jain's index of fairness over the number of calls of each log between two times: 1 if all are equal, and
/// one divided by their number if one has all.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) fn fairness(logs: &[Log], from: Micros, to: Micros) -> f64 {
    let calls =
        logs.iter().map(|log| log.since(from).filter(|call| call.begin < to).count() as f64);
    let (sum, squares) = calls.fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
    sum * sum / (logs.len() as f64 * squares)
}
