//! The outcomes of the visits.

use std::collections::BTreeMap;
use std::fmt;

use limit_runtime::inspect::{KeyReading, busiest_keys};
use limit_runtime::{Figures, limiters};
use tokio::task::JoinError;

/// The end of a visit.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answered,
    /// A 503 with `Retry-After`.
    Refused,
    Failed(String),
}

/// The outcomes of all visits, by function.
#[derive(Debug)]
pub(crate) struct Tally {
    functions: BTreeMap<&'static str, Visits>,
    told: Visits,
    failure: Option<String>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Visits {
    asked: u64,
    answered: u64,
    refused: u64,
    failed: u64,
}

impl Visits {
    fn since(self, before: Self) -> Self {
        Self {
            asked: self.asked - before.asked,
            answered: self.answered - before.answered,
            refused: self.refused - before.refused,
            failed: self.failed - before.failed,
        }
    }
}

impl Tally {
    /// Returns an empty tally for `functions`.
    pub(crate) fn of(functions: impl IntoIterator<Item = &'static str>) -> Self {
        let none = functions.into_iter().map(|function| (function, Visits::default()));
        Self { functions: none.collect(), told: Visits::default(), failure: None }
    }

    /// Counts a visit that begins.
    pub(crate) fn asked(&mut self, function: &'static str) {
        self.functions.entry(function).or_default().asked += 1;
    }

    /// Counts a visit that has ended.
    pub(crate) fn count(&mut self, visit: Result<(&'static str, Outcome), JoinError>) {
        let (function, outcome) = match visit {
            Ok(visit) => visit,
            Err(error) => ("", Outcome::Failed(error.to_string())),
        };
        let visits = self.functions.entry(function).or_default();
        match outcome {
            Outcome::Answered => visits.answered += 1,
            Outcome::Refused => visits.refused += 1,
            Outcome::Failed(why) => {
                visits.failed += 1;
                self.failure.get_or_insert(why);
            }
        }
    }

    /// Returns a line with the outcomes since the previous call.
    pub(crate) fn news(&mut self) -> String {
        let total = self.total();
        let Visits { asked, answered, refused, failed } = total.since(self.told);
        self.told = total;
        let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
        let (search, longest) = (limit_of_search(), longest_queue());
        format!(
            "{asked:>4} asked, {answered:>4} answered, {refused:>4} refused{failed}{search}{longest}"
        )
    }

    fn total(&self) -> Visits {
        self.functions.values().fold(Visits::default(), |sum, visits| Visits {
            asked: sum.asked + visits.asked,
            answered: sum.answered + visits.answered,
            refused: sum.refused + visits.refused,
            failed: sum.failed + visits.failed,
        })
    }
}

/// Returns the limit that finds itself, or an empty string before there is one.
fn limit_of_search() -> String {
    let limit = limit_runtime::find("search").and_then(|search| search.limit());
    limit.map(|limit| format!("; search {limit:>2}")).unwrap_or_default()
}

/// Returns the figures of the limiter with the most waiting calls, or an empty string.
fn longest_queue() -> String {
    let limiters = limiters().into_iter().map(|limiter| (limiter.snapshot(), limiter));
    let longest = limiters.max_by_key(|(snapshot, _)| snapshot.total.waiting);
    let Some((snapshot, limiter)) = longest.filter(|(longest, _)| longest.total.waiting > 0) else {
        return String::new();
    };
    let Figures { limit, in_use, waiting, keys, .. } = snapshot.total;
    let verb = if waiting == 1 { "waits" } else { "wait" };
    let queue = format!("; {waiting} {verb} for {}", snapshot.name);
    if keys == 0 {
        return format!("{queue}, {in_use}/{limit} in use");
    }
    // The limit holds for each key, so the key with the longest queue says why calls wait.
    let key = busiest_keys(&limiter, usize::MAX).into_iter().max_by_key(|key| key.waiting);
    key.map_or(queue.clone(), |key| {
        let KeyReading { name, in_use, waiting, .. } = key;
        format!("{queue}, {waiting} of them for {name}, {in_use}/{limit} in use")
    })
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<14} {:>8} {:>8} {:>8} {:>8}",
            "the load", "asked", "answered", "refused", "failed"
        )?;
        for (function, visits) in &self.functions {
            let Visits { asked, answered, refused, failed } = visits;
            write!(f, "\n{function:<14} {asked:>8} {answered:>8} {refused:>8} {failed:>8}")?;
        }
        match &self.failure {
            Some(failure) => write!(f, "\nthe first that failed: {failure}"),
            None => Ok(()),
        }
    }
}
