//! Figures for Prometheus, by `prometheus-client`.

use crate::bounds::{self, BOUNDS};
use crate::exclusive::Exclusive;
use crate::labels::{ExtraLabel, KEY, LIMITER, RUNTIME};
use crate::ledger::Ledger;
use crate::list::exported;
use crate::metric::{Distribution, Figure, Kind, Metric, State};
use crate::series::{Runtime, Series, ledger_level, renewals};
use limit_runtime::inspect::Histogram;
use prometheus_client::collector::Collector as Collect;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, LabelSetEncoder, LabelValueEncoder, MetricEncoder,
    NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Registry;
use std::cell::Cell;
use std::fmt::{self, Write};
use std::iter;

/// A collector of all limiters' figures, for a [`Registry`]. It reads them when the registry is encoded.
///
/// A registry needs one collector, and [`register`](Self::register) refuses a second one. `prometheus-client` itself
/// does not check that. If two get in by [`Registry::register_collector`], the text has every series twice.
/// Prometheus reads it and keeps one of the two, but `promtool check metrics` complains.
///
/// # Examples
///
/// ```
/// use limit_runtime::Limiter;
/// use limit_exporters::prometheus::Collector;
/// use prometheus_client::encoding::text::encode;
/// use prometheus_client::registry::Registry;
///
/// let mut registry = Registry::default();
/// Collector::new().register(&mut registry)?;
///
/// let db = Limiter::new("prometheus-example", 10);
/// let permit = db.try_acquire()?;
/// let mut text = String::new();
/// encode(&mut text, &registry)?;
/// assert!(text.contains("concurrency_limit_permit_usage{limiter=\"prometheus-example\"} 1\n"));
/// # drop(permit);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct Collector {
    /// The memory of a collector that shows figures by runtime.
    by_runtime: Option<Exclusive<Ledger>>,
}

impl Collector {
    /// Makes a collector that shows the figures of all runtimes together.
    #[must_use]
    pub const fn new() -> Self {
        Self { by_runtime: None }
    }

    /// Makes the collector show the figures of each runtime, under a label `runtime`: the number that a
    /// [`RuntimeSnapshot`](limit_runtime::RuntimeSnapshot) has, 0 for the process. See
    /// [By runtime](crate#by-runtime).
    ///
    /// The collector remembers what it has shown of a runtime, until the runtime ends. It shows the last counts of
    /// a runtime under its number once. If several servers scrape and need those, give each a collector of its own.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_exporters::prometheus::Collector;
    /// use prometheus_client::registry::Registry;
    ///
    /// let mut registry = Registry::default();
    /// Collector::new().by_runtime().register(&mut registry)?;
    /// # Ok::<(), limit_exporters::prometheus::AlreadyRegistered>(())
    /// ```
    #[must_use]
    pub fn by_runtime(mut self) -> Self {
        self.by_runtime = Some(Exclusive::new(Ledger::new(true)));
        self
    }

    /// Adds the collector to a registry, unless the registry or one of its sub-registries has one already.
    ///
    /// (A sub-registry does not know the registries beside and above it.)
    ///
    /// # Errors
    ///
    /// [`AlreadyRegistered`] if there is a collector already. The registry stays as it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_exporters::prometheus::Collector;
    /// use prometheus_client::registry::Registry;
    ///
    /// let mut registry = Registry::default();
    /// assert!(Collector::new().register(&mut registry).is_ok());
    /// // For instance, by another part of the program:
    /// assert!(Collector::new().register(&mut registry).is_err());
    /// ```
    pub fn register(self, registry: &mut Registry) -> Result<(), AlreadyRegistered> {
        if has_one(registry) {
            return Err(AlreadyRegistered(()));
        }
        registry.register_collector(Box::new(self));
        Ok(())
    }

    /// Reads all limiters before anything is encoded: a scrape shows the figures of a limiter at one moment.
    fn read(&self) -> Vec<Series<Buckets>> {
        match &self.by_runtime {
            None => Ledger::new(false).read(Buckets::new),
            Some(ledger) => ledger.with(|ledger| ledger.read(Buckets::new)).unwrap_or_default(),
        }
    }
}

thread_local! {
    /// The number of collectors that this thread has formatted by `Debug`.
    static SHOWN: Cell<usize> = const { Cell::new(0) };
}

/// Returns whether a registry has a collector of limiters. A registry does not list its collectors, but its `Debug`
/// formats them all: each of ours counts that in `SHOWN`.
fn has_one(registry: &Registry) -> bool {
    /// A writer that discards all text.
    struct Nowhere;

    impl Write for Nowhere {
        fn write_str(&mut self, _: &str) -> fmt::Result {
            Ok(())
        }
    }

    let before = SHOWN.get();
    // An error comes from a collector of somebody else's.
    let _ = write!(Nowhere, "{registry:?}");
    SHOWN.get() != before
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SHOWN.set(SHOWN.get().wrapping_add(1));
        f.debug_struct("Collector")
            .field("by_runtime", &self.by_runtime.is_some())
            .finish_non_exhaustive()
    }
}

/// The error of a registry that has a [`Collector`] already. See [`Collector::register`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyRegistered(());

impl fmt::Display for AlreadyRegistered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the registry has a collector of limiters already: two would show every series twice",
        )
    }
}

impl std::error::Error for AlreadyRegistered {}

/// A clone shows the same, and remembers nothing that the original has shown.
impl Clone for Collector {
    fn clone(&self) -> Self {
        let by_runtime = self.by_runtime.is_some().then(|| Exclusive::new(Ledger::new(true)));
        Self { by_runtime }
    }
}

impl Collect for Collector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let all = self.read();
        exported().try_for_each(|metric| encode_metric(&mut encoder, metric, &all))
    }
}

fn encode_metric(
    encoder: &mut DescriptorEncoder<'_>,
    metric: &Metric,
    all: &[Series<Buckets>],
) -> fmt::Result {
    let is_there = |series: &Series<Buckets>| match metric.figure {
        Figure::Ledger(_) | Figure::Renewals => !series.ledgers.is_empty(),
        Figure::Share(level) => series.shares.iter().any(|share| share.level(level).is_some()),
        // A holder comes and goes.
        Figure::State(state) if state != State::OldestHolder => {
            series.state.is_some_and(|known| known.get(state).is_some())
        }
        Figure::Count(count) => series.has(count),
        Figure::State(_) | Figure::Level(_) | Figure::Distribution(_) => true,
    };
    // Most programs are in no fleet, and many have no keys, no rates and no limits that adapt.
    if !all.iter().any(is_there) {
        return Ok(());
    }
    let kind = match metric.kind {
        Kind::Counter => MetricType::Counter,
        Kind::Gauge | Kind::UpDownCounter => MetricType::Gauge,
        Kind::Histogram => MetricType::Histogram,
    };
    // The encoder adds the suffix again. It would add the unit too, but at each sample anew, which is slower.
    let name = metric.prometheus.strip_suffix("_total").unwrap_or(metric.prometheus);
    let help = format!("{}.", metric.description);
    let mut encoder = encoder.encode_descriptor(name, &help, None, kind)?;
    all.iter().try_for_each(|series| encode_series(&mut encoder, metric, series))
}

fn encode_series(
    encoder: &mut MetricEncoder<'_>,
    metric: &Metric,
    series: &Series<Buckets>,
) -> fmt::Result {
    let limiter = &*series.limiter;
    let labels = |runtime, more| Labels { limiter, key: None, runtime, more };
    match metric.figure {
        Figure::Level(level) => {
            for (runtime, value) in series.levels(level) {
                encoder.encode_family(&labels(runtime, None))?.encode_gauge(&value)?;
            }
        }
        Figure::Count(count) => {
            for (runtime, label, value) in series.counts(count) {
                let labels = labels(runtime, label);
                let mut encoder = encoder.encode_family(&labels)?;
                encoder.encode_counter(&value, None::<&Exemplar<NoLabelSet, f64>>)?;
            }
        }
        Figure::Distribution(distribution) => {
            for (runtime, samples) in series.samples(distribution) {
                // Most limiters have no holds, and empty histograms would be a third of the whole text.
                if distribution == Distribution::Holds && samples.is_none() {
                    continue;
                }
                let buckets = samples.cloned().unwrap_or_default();
                buckets.encode(&mut encoder.encode_family(&labels(runtime, None))?)?;
            }
        }
        Figure::State(state) => {
            if let Some((label, value)) = series.state.and_then(|known| known.get(state)) {
                encoder.encode_family(&labels(None, label))?.encode_gauge(&value)?;
            }
        }
        Figure::Share(level) => {
            for share in &series.shares {
                if let Some(value) = share.level(level) {
                    let labels = labels(None, Some(share.label()));
                    encoder.encode_family(&labels)?.encode_gauge(&value)?;
                }
            }
        }
        Figure::Ledger(level) => {
            for ledger in &series.ledgers {
                let labels = Labels { key: ledger.key.as_deref(), ..labels(None, None) };
                let value = ledger_level(ledger, level);
                encoder.encode_family(&labels)?.encode_gauge(&value)?;
            }
        }
        Figure::Renewals => {
            for ledger in &series.ledgers {
                for (label, count) in renewals(ledger) {
                    let labels = Labels { key: ledger.key.as_deref(), ..labels(None, Some(label)) };
                    let mut encoder = encoder.encode_family(&labels)?;
                    encoder.encode_counter(&count, None::<&Exemplar<NoLabelSet, f64>>)?;
                }
            }
        }
    }
    Ok(())
}

/// The samples of a histogram, as a scrape shows them.
#[derive(Clone, Debug, Default)]
struct Buckets {
    counts: [u64; BOUNDS + 1],
    count: u64,
    /// In seconds.
    sum: f64,
}

impl Buckets {
    fn new(samples: &Histogram) -> Self {
        let mut counts = [0; BOUNDS + 1];
        counts.copy_from_slice(&samples.counts(&bounds::DURATIONS));
        Self { counts, count: samples.count(), sum: samples.total().as_secs_f64() }
    }

    fn encode(&self, encoder: &mut MetricEncoder<'_>) -> fmt::Result {
        let bounds = bounds::seconds().into_iter().chain(iter::once(f64::INFINITY));
        let buckets: Vec<_> = iter::zip(bounds, self.counts).collect();
        encoder.encode_histogram::<NoLabelSet>(self.sum, self.count, &buckets, None)
    }
}

struct Labels<'a> {
    limiter: &'a str,
    key: Option<&'a str>,
    runtime: Option<Runtime>,
    more: Option<ExtraLabel>,
}

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        encode_label(encoder, LIMITER.name, |encoder| encoder.write_str(self.limiter))?;
        if let Some(key) = self.key {
            encode_label(encoder, KEY.name, |encoder| encoder.write_str(key))?;
        }
        if let Some(runtime) = self.runtime {
            encode_label(encoder, RUNTIME, |encoder| write!(encoder, "{runtime}"))?;
        }
        if let Some((label, value)) = self.more {
            encode_label(encoder, label, |encoder| encoder.write_str(value))?;
        }
        Ok(())
    }
}

fn encode_label(
    encoder: &mut LabelSetEncoder<'_>,
    label: &str,
    write_value: impl FnOnce(&mut LabelValueEncoder<'_>) -> fmt::Result,
) -> fmt::Result {
    let mut encoder = encoder.encode_label();
    let mut key = encoder.encode_label_key()?;
    key.write_str(label)?;
    let mut encoder = key.encode_label_value()?;
    write_value(&mut encoder)?;
    encoder.finish()
}
