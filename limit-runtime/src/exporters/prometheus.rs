//! For Prometheus, by `prometheus-client`.

use super::{Figure, Kind, LIMITER, Metric, exported, results, sources};
use crate::diagnostics::OldestHolders;
use crate::limiter::entries;
use crate::metrics::{Export, Histogram, Part, bounds};
use prometheus_client::collector::Collector as Collect;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeLabelSet, LabelSetEncoder, MetricEncoder,
    NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use std::fmt::{self, Write};
use std::iter;
use std::sync::Arc;

/// The label of figures by runtime.
const RUNTIME: &str = "runtime";

/// A collector of all limiters' figures, for a
/// [`Registry`](prometheus_client::registry::Registry). It reads them when it is encoded.
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
/// registry.register_collector(Box::new(Collector::new()));
///
/// let db = Limiter::new("prometheus-example", 10);
/// let permit = db.try_acquire()?;
/// let mut text = String::new();
/// encode(&mut text, &registry)?;
/// assert!(text.contains("concurrency_limit_permit_usage{limiter=\"prometheus-example\"} 1\n"));
/// # drop(permit);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Collector {
    by_runtime: bool,
}

impl Collector {
    /// One that shows the figures of all runtimes together.
    #[must_use]
    pub const fn new() -> Self {
        Self { by_runtime: false }
    }

    /// One that shows the figures of each runtime, under a label `runtime`: the number that a
    /// [`RuntimeSnapshot`](crate::RuntimeSnapshot) has, 0 for the process. What ended runtimes have
    /// counted is under `retired`; so the sum over all is that of the limiter, and never goes back.
    ///
    /// Changes of the limit are not of any runtime, and without the label.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::exporters::prometheus::Collector;
    /// use prometheus_client::registry::Registry;
    ///
    /// let mut registry = Registry::default();
    /// registry.register_collector(Box::new(Collector::new().by_runtime()));
    /// ```
    #[must_use]
    pub const fn by_runtime(mut self) -> Self {
        self.by_runtime = true;
        self
    }
}

impl Collect for Collector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        // All first, so that what one scrape shows of a limiter was so at one moment.
        let entries = entries();
        // After it: see there.
        let oldest = OldestHolders::now();
        let limiters: Vec<_> = entries
            .into_iter()
            .filter_map(|entry| {
                let export =
                    if self.by_runtime { entry.export_by_runtime() } else { entry.export() };
                Some(Shown {
                    limiter: Arc::clone(&entry.name),
                    export: export?,
                    holds: entry.hold_times(),
                    oldest_holder: oldest.of(&entry),
                })
            })
            .collect();
        exported().try_for_each(|metric| encode_metric(&mut encoder, metric, &limiters))
    }
}

/// What a scrape shows of a limiter.
struct Shown {
    limiter: Arc<str>,
    export: Export,
    holds: Option<Box<Histogram>>,
    oldest_holder: Option<f64>,
}

fn encode_metric(
    encoder: &mut DescriptorEncoder<'_>,
    metric: &Metric,
    limiters: &[Shown],
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
    for Shown { limiter, export, holds, oldest_holder } in limiters {
        // Of what is not told by runtime.
        let of_all = Labels { limiter, runtime: None, more: None };
        let parts = export.parts.iter().map(|part| (part, Labels::of(limiter, part)));
        match metric.figure {
            Figure::Limit => {
                for (part, labels) in parts {
                    if let Some(limit) = part.limit {
                        encoder.encode_family(&labels)?.encode_gauge(&as_u64(limit))?;
                    }
                }
            }
            Figure::InUse => gauges(&mut encoder, parts, |part| part.totals.in_use)?,
            Figure::Waiting => gauges(&mut encoder, parts, |part| part.totals.waiting)?,
            Figure::Keys => gauges(&mut encoder, parts, |part| part.totals.keys)?,
            Figure::Results => {
                for (part, labels) in parts {
                    counters(&mut encoder, labels, "result", &results(&part.totals.counters))?;
                }
            }
            Figure::Changes => {
                counters(&mut encoder, of_all, "source", &sources(export.changes))?;
            }
            Figure::Waits => {
                for (part, labels) in parts {
                    histogram(&mut encoder.encode_family(&labels)?, part.totals.counters.waits())?;
                }
            }
            // Nothing, where nothing is recorded: it is a third of all there is to write.
            Figure::HoldTime => {
                if let Some(holds) = holds {
                    histogram(&mut encoder.encode_family(&of_all)?, Some(holds))?;
                }
            }
            Figure::OldestHolder => {
                if let Some(started) = oldest_holder {
                    encoder.encode_family(&of_all)?.encode_gauge(started)?;
                }
            }
        }
    }
    Ok(())
}

fn gauges<'a>(
    encoder: &mut MetricEncoder<'_>,
    mut parts: impl Iterator<Item = (&'a Part, Labels<'a>)>,
    value: fn(&Part) -> usize,
) -> fmt::Result {
    parts.try_for_each(|(part, labels)| {
        encoder.encode_family(&labels)?.encode_gauge(&as_u64(value(part)))
    })
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

#[derive(Clone, Copy)]
struct Labels<'a> {
    limiter: &'a str,
    runtime: Option<&'a str>,
    more: Option<(&'static str, &'static str)>,
}

impl<'a> Labels<'a> {
    fn of(limiter: &'a str, part: &'a Part) -> Self {
        Self { limiter, runtime: part.runtime.as_deref(), more: None }
    }
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
