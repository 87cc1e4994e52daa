//! The figures of `/metrics`.

use limit_exporters::METRICS;
use std::collections::BTreeMap;

/// The samples of one scrape.
#[derive(Clone, Debug)]
pub(crate) struct Figures(BTreeMap<String, u64>);

/// The number of calls with each result, for the results that at least one call had.
pub(crate) type Results = BTreeMap<&'static str, u64>;

/// Returns all results that a call can have.
fn results() -> impl Iterator<Item = &'static str> {
    let metric = METRICS.iter().find(|metric| metric.name == "concurrency_limit.acquisitions");
    let labels = metric.expect("it is in the list").labels.iter();
    labels.filter(|label| label.name == "result").flat_map(|label| label.values).copied()
}

impl Figures {
    pub(crate) fn read(text: &str) -> Self {
        let samples = text.lines().filter_map(|line| line.rsplit_once(' '));
        let whole =
            samples.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
        Self(whole.collect())
    }

    pub(crate) fn limit(&self, limiter: &str) -> u64 {
        self.gauge("permit_limit", limiter)
    }

    pub(crate) fn in_use(&self, limiter: &str) -> u64 {
        self.gauge("permit_usage", limiter)
    }

    pub(crate) fn waiting(&self, limiter: &str) -> u64 {
        self.gauge("queued_calls", limiter)
    }

    /// Returns the results of a limiter's calls since `before`.
    pub(crate) fn since(&self, before: &Self, limiter: &str) -> Results {
        let count = |figures: &Self, result: &str| {
            let labels = format!("limiter=\"{limiter}\",result=\"{result}\"");
            figures.get(&format!("concurrency_limit_acquisitions_total{{{labels}}}"))
        };
        let results = results().map(|result| (result, count(self, result) - count(before, result)));
        results.filter(|(_, calls)| *calls > 0).collect()
    }

    fn gauge(&self, name: &str, limiter: &str) -> u64 {
        self.get(&format!("concurrency_limit_{name}{{limiter=\"{limiter}\"}}"))
    }

    fn get(&self, sample: &str) -> u64 {
        *self.0.get(sample).unwrap_or_else(|| panic!("no {sample} in {self:#?}"))
    }
}
