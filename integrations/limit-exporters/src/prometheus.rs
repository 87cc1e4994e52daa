//! For Prometheus, by `prometheus-client`.

use super::ledger::{Ledger, Line, Now, Shown};
use super::{Figure, Kind, LIMITER, Metric, RUNTIME, exported, results, sources};
use crate::metrics::{Histogram, bounds};
use prometheus_client::collector::Collector as Collect;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeLabelSet, LabelSetEncoder, MetricEncoder,
    NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Registry;
use std::cell::Cell;
use std::fmt::{self, Write};
use std::iter;
use std::sync::{Mutex, PoisonError};

/// A collector of all limiters' figures, for a
/// [`Registry`]. It reads them when it is encoded.
///
/// One for each registry: two would show every series twice, which is no valid text any more. `prometheus-client`
/// does not look for that; [`register`](Self::register) does.
///
/// # Examples
///
/// ```
/// use limit_runtime::Limiter;
/// use limit_runtime::exporters::prometheus::Collector;
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
    /// What was shown by runtime, if it is.
    by_runtime: Option<Mutex<Ledger>>,
}

impl Collector {
    /// One that shows the figures of all runtimes together.
    #[must_use]
    pub const fn new() -> Self {
        Self { by_runtime: None }
    }

    /// One that shows the figures of each runtime, under a label `runtime`: the number that a
    /// [`RuntimeSnapshot`](crate::RuntimeSnapshot) has, 0 for the process. See
    /// [By runtime](super#by-runtime).
    ///
    /// The collector remembers what it has shown of a runtime until that ends: give each server that
    /// scrapes a collector of its own if what was counted just before the end matters to it.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::exporters::prometheus::Collector;
    /// use prometheus_client::registry::Registry;
    ///
    /// let mut registry = Registry::default();
    /// Collector::new().by_runtime().register(&mut registry)?;
    /// # Ok::<(), limit_runtime::exporters::prometheus::AlreadyRegistered>(())
    /// ```
    #[must_use]
    pub fn by_runtime(mut self) -> Self {
        self.by_runtime = Some(Mutex::new(Ledger::new(true)));
        self
    }

    /// Adds it to a registry, unless there is one already: there, or in one of its sub-registries.
    ///
    /// (From a sub-registry it does not see what is beside or above it.)
    ///
    /// # Errors
    ///
    /// If there is one already. The registry stays as it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::exporters::prometheus::Collector;
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

    /// All first, so that what one scrape shows of a limiter was so at one moment.
    fn lines(&self) -> Vec<Line> {
        match &self.by_runtime {
            None => Ledger::new(false).read(),
            Some(ledger) => ledger.lock().unwrap_or_else(PoisonError::into_inner).read(),
        }
    }
}

thread_local! {
    /// How many collectors have been shown for debugging.
    static SHOWN: Cell<usize> = const { Cell::new(0) };
}

/// A registry does not say what it has, but it shows all of it for debugging: so its collectors are asked.
fn has_one(registry: &Registry) -> bool {
    /// Keeps nothing.
    struct Nowhere;

    impl Write for Nowhere {
        fn write_str(&mut self, _: &str) -> fmt::Result {
            Ok(())
        }
    }

    let before = SHOWN.get();
    // What cannot be shown is no collector of ours.
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

/// The registry has a [`Collector`] already. See [`Collector::register`].
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

/// The copy has shown nothing yet.
impl Clone for Collector {
    fn clone(&self) -> Self {
        let by_runtime = self.by_runtime.is_some().then(|| Mutex::new(Ledger::new(true)));
        Self { by_runtime }
    }
}

impl Collect for Collector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let lines = self.lines();
        exported().try_for_each(|metric| encode_metric(&mut encoder, metric, &lines))
    }
}

fn encode_metric(
    encoder: &mut DescriptorEncoder<'_>,
    metric: &Metric,
    lines: &[Line],
) -> fmt::Result {
    let kind = match metric.kind {
        Kind::Counter => MetricType::Counter,
        Kind::Gauge | Kind::UpDownCounter => MetricType::Gauge,
        Kind::Histogram => MetricType::Histogram,
    };
    // The encoder adds it again. The unit it would add too, at each sample anew, which is slower.
    let name = metric.prometheus.strip_suffix("_total").unwrap_or(metric.prometheus);
    let help = format!("{}.", metric.description);
    let mut encoder = encoder.encode_descriptor(name, &help, None, kind)?;
    for Line { limiter, parts, changes, holds, oldest_holder } in lines {
        let labels = Labels { limiter, ..Labels::default() };
        // Of what is not told by runtime.
        let of_all = &labels;
        let names: Vec<_> =
            parts.iter().map(|part| part.runtime.map(|runtime| runtime.to_string())).collect();
        let parts = iter::zip(parts, &names)
            .map(|(part, name)| (part, Labels { runtime: name.as_deref(), ..labels }));
        match metric.figure {
            Figure::Limit => gauges(&mut encoder, parts, |now| now.limit)?,
            Figure::InUse => gauges(&mut encoder, parts, |now| Some(now.in_use))?,
            Figure::Waiting => gauges(&mut encoder, parts, |now| Some(now.waiting))?,
            Figure::Keys => gauges(&mut encoder, parts, |now| Some(now.keys))?,
            Figure::Results => {
                for (part, labels) in parts {
                    counters(&mut encoder, labels, "result", &results(&part.counters))?;
                }
            }
            Figure::Changes => {
                counters(&mut encoder, *of_all, "source", &sources(*changes))?;
            }
            Figure::Waits => {
                for (part, labels) in parts {
                    histogram(&mut encoder.encode_family(&labels)?, part.counters.waits())?;
                }
            }
            // Nothing, where nothing is recorded: it is a third of all there is to write.
            Figure::HoldTime => {
                if let Some(holds) = holds {
                    histogram(&mut encoder.encode_family(of_all)?, Some(holds))?;
                }
            }
            Figure::OldestHolder => {
                if let Some(started) = oldest_holder {
                    encoder.encode_family(of_all)?.encode_gauge(started)?;
                }
            }
        }
    }
    Ok(())
}

fn gauges<'a>(
    encoder: &mut MetricEncoder<'_>,
    parts: impl Iterator<Item = (&'a Shown, Labels<'a>)>,
    value: fn(&Now) -> Option<usize>,
) -> fmt::Result {
    for (part, labels) in parts {
        if let Some(value) = part.now.as_ref().and_then(value) {
            encoder.encode_family(&labels)?.encode_gauge(&as_u64(value))?;
        }
    }
    Ok(())
}

fn counters(
    encoder: &mut MetricEncoder<'_>,
    labels: Labels<'_>,
    label: &'static str,
    values: &[(&'static str, u64)],
) -> fmt::Result {
    values.iter().try_for_each(|(value, count)| {
        let labels = Labels { more: Some((label, value)), ..labels };
        counter(&mut encoder.encode_family(&labels)?, count)
    })
}

fn counter(encoder: &mut MetricEncoder<'_>, count: &impl EncodeCounterValue) -> fmt::Result {
    encoder.encode_counter(count, None::<&Exemplar<NoLabelSet, f64>>)
}

fn histogram(encoder: &mut MetricEncoder<'_>, waits: Option<&Histogram>) -> fmt::Result {
    let counts = waits.map(Histogram::between_bounds).unwrap_or_default();
    let bounds = bounds().into_iter().chain(iter::once(f64::INFINITY));
    let buckets: Vec<_> = iter::zip(bounds, counts).collect();
    let (sum, count) = waits.map_or((0.0, 0), |waits| (waits.sum(), waits.count()));
    encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
}

fn as_u64(figure: usize) -> u64 {
    u64::try_from(figure).unwrap_or(u64::MAX)
}

#[derive(Clone, Copy, Default)]
struct Labels<'a> {
    limiter: &'a str,
    runtime: Option<&'a str>,
    more: Option<(&'static str, &'static str)>,
}

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        encode_label(encoder, LIMITER, self.limiter)?;
        if let Some(runtime) = self.runtime {
            encode_label(encoder, RUNTIME, runtime)?;
        }
        match self.more {
            Some((label, value)) => encode_label(encoder, label, value),
            None => Ok(()),
        }
    }
}

fn encode_label(encoder: &mut LabelSetEncoder<'_>, label: &str, value: &str) -> fmt::Result {
    let mut encoder = encoder.encode_label();
    let mut key = encoder.encode_label_key()?;
    key.write_str(label)?;
    let mut encoder = key.encode_label_value()?;
    encoder.write_str(value)?;
    encoder.finish()
}
