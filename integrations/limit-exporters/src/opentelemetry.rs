//! Figures for OpenTelemetry: instruments on a `Meter`.
//!
//! A call records nothing when it has waited or when it ends. Each collection of the provider reads the limiters.
//!
//! # Number of series
//!
//! An SDK keeps only so many series of an instrument, 2,000 by default, and adds up the rest in one series. The
//! metric `concurrency_limit.acquisitions` has a series for each limiter and result: with more than 200 limiters,
//! raise the limit by a view. Up to a hundred [limiters that are dropped](crate#limiters-that-are-dropped) count too.
//!
//! # Histograms
//!
//! OpenTelemetry has no histograms that are observed. So a collection records the samples that came since the
//! collection before it, and the first collection records all samples that there ever were.
//!
//! * Counts, by the bounds of the metric, and sums are exact (sums of waits below some 10,000 a second). The value of each sample is known to an eighth; so
//!   are minimum and maximum, and the buckets of an exponential histogram or of other bounds that a view
//!   chooses.
//! * Samples have no exemplars: the calls are over when a collection records their waits.
//! * A collection records as many samples as there were waits and holds since the last one, one by one, on the
//!   thread that collects. (A histogram of OpenTelemetry cannot record many samples at once.) If calls wait very
//!   often, collect more often.
//! * A collection records the waits and holds of limiters that were dropped since the last collection, for the
//!   last 100 names. By runtime, the waits at a runtime that has ended meanwhile have the label `retired`.
//! * With several readers, each sample reaches each reader once: the collection that comes first records it for
//!   all of them.
//!
//! # Implementation details
//!
//! The SDK first runs all callbacks of a collection, on one thread and in the order in which the
//! instruments were made, and reads the histograms after that (`Pipeline::produce` of
//! [`opentelemetry_sdk` 0.33](https://docs.rs/crate/opentelemetry_sdk/0.33.1/source/src/metrics/pipeline.rs)). So what
//! the first callback records is part of the same collection.
//!
//! Each reader has a pipeline with all callbacks, and readers may collect at the same time on several
//! threads. An instrument records for all pipelines. One thread at a time reads and records (`Exclusive`), so that
//! samples are recorded in the order of the readings, and so that a collection that finds no new samples does
//! not end before another thread has recorded them.

use crate::bounds;
use crate::deltas::Deltas;
use crate::exclusive::Exclusive;
use crate::labels::{KEY, LIMITER, RUNTIME};
use crate::list::exported;
use crate::metric::{Distribution, Figure, Kind, Metric};
use crate::series::{Runtime, Series, ledger_level, renewals};
use ::opentelemetry::metrics::{AsyncInstrument, Histogram, Meter};
use ::opentelemetry::{KeyValue, StringValue};
use limit_runtime::LedgerFigures;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// The number of collections that may be under way at a time. With more, a collection may have figures of
/// several moments.
const COLLECTIONS: usize = 16;

/// Observes all limiters on a meter, from now until the returned value is dropped. The figures are those from the
/// first use of each limiter on.
///
/// Observe once for each provider. Instruments stay with the meter, and a second observation of the same
/// provider would report everything twice.
///
/// # Examples
///
/// ```
/// use limit_exporters::opentelemetry::observe;
/// use opentelemetry::global;
///
/// // When the provider is set:
/// let _observation = observe(&global::meter("limits"));
/// // ... the program ...
/// ```
pub fn observe(meter: &Meter) -> Observation {
    Observation::begin(meter, false)
}

/// Observes all limiters by runtime: see [By runtime](crate#by-runtime).
///
/// # Examples
///
/// ```
/// use limit_exporters::opentelemetry::observe_by_runtime;
/// use opentelemetry::global;
///
/// let _observation = observe_by_runtime(&global::meter("limits"));
/// ```
pub fn observe_by_runtime(meter: &Meter) -> Observation {
    Observation::begin(meter, true)
}

/// The observation of all limiters, until this is dropped. See [`observe`].
///
/// When it is dropped, the histograms receive the waits and holds since the last collection. All other figures
/// are not reported any more: shut the provider down first, which collects once more.
#[must_use = "it ends when it is dropped"]
pub struct Observation {
    /// The only lasting reference: a meter's provider keeps callbacks for ever.
    observer: Arc<Observer>,
}

impl Drop for Observation {
    fn drop(&mut self) {
        let read = || drop(self.observer.deltas.with(|deltas| self.observer.read(deltas)));
        // Instruments are foreign code, and the thread may be unwinding already.
        let Err(panic) = catch_unwind(AssertUnwindSafe(read)) else { return };
        // The payload is a user's value, whose drop may panic too.
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
            mem::forget(second);
        }
    }
}

impl Observation {
    fn begin(meter: &Meter, by_runtime: bool) -> Self {
        let histograms = exported().filter_map(|metric| match metric.figure {
            Figure::Distribution(of) => Some((of, build_histogram(meter, metric))),
            _ => None,
        });
        let observer = Arc::new(Observer {
            histograms: histograms.collect(),
            deltas: Exclusive::new(Deltas::new(by_runtime)),
            collections: Mutex::default(),
        });
        for metric in exported() {
            observer.observe(meter, metric);
        }
        Self { observer }
    }
}

impl fmt::Debug for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observation").finish_non_exhaustive()
    }
}

fn build_histogram(meter: &Meter, metric: &Metric) -> Histogram<f64> {
    let builder = meter.f64_histogram(metric.name).with_unit(metric.unit);
    let builder = builder.with_description(metric.description);
    builder.with_boundaries(bounds::seconds().to_vec()).build()
}

struct Observer {
    histograms: Vec<(Distribution, Histogram<f64>)>,
    deltas: Exclusive<Deltas>,
    /// The collections that are under way. The one that began last is last.
    collections: Mutex<Vec<Collection>>,
}

/// A collection of one reader.
struct Collection {
    /// All callbacks of a collection run on one thread.
    thread: ThreadId,
    series: Arc<[Series]>,
    /// The figures whose callbacks have run.
    shown: Vec<Figure>,
}

impl Observer {
    /// Makes the instrument that observes a metric. OpenTelemetry has none for histograms.
    fn observe(self: &Arc<Self>, meter: &Meter, metric: &'static Metric) {
        let (name, unit, description) = (metric.name, metric.unit, metric.description);
        match metric.figure {
            Figure::Level(level) => match metric.kind {
                Kind::UpDownCounter => {
                    let observe = self.callback(metric, move |series, show| {
                        for (runtime, value) in series.levels(level) {
                            let value = i64::try_from(value).unwrap_or(i64::MAX);
                            show(value, labels(series, runtime));
                        }
                    });
                    let builder = meter.i64_observable_up_down_counter(name).with_unit(unit);
                    builder.with_description(description).with_callback(observe).build();
                }
                Kind::Gauge | Kind::Counter | Kind::Histogram => {
                    let observe = self.callback(metric, move |series, show| {
                        for (runtime, value) in series.levels(level) {
                            show(value, labels(series, runtime));
                        }
                    });
                    let builder = meter.u64_observable_gauge(name).with_unit(unit);
                    builder.with_description(description).with_callback(observe).build();
                }
            },
            Figure::Count(count) => {
                let observe = self.callback(metric, move |series, show| {
                    for (runtime, label, count) in series.counts(count) {
                        let mut labels = labels(series, runtime);
                        labels.extend(label.map(|(label, value)| KeyValue::new(label, value)));
                        show(count, labels);
                    }
                });
                let builder = meter.u64_observable_counter(name).with_unit(unit);
                builder.with_description(description).with_callback(observe).build();
            }
            Figure::State(state) => {
                let observe = self.callback(metric, move |series, show| {
                    if let Some((label, value)) = series.state.and_then(|known| known.get(state)) {
                        let mut labels = labels(series, None);
                        labels.extend(label.map(|(label, value)| KeyValue::new(label, value)));
                        show(value, labels);
                    }
                });
                let builder = meter.f64_observable_gauge(name).with_unit(unit);
                builder.with_description(description).with_callback(observe).build();
            }
            Figure::Share(level) => {
                let observe = self.callback(metric, move |series, show| {
                    for share in &series.shares {
                        if let Some(value) = share.level(level) {
                            let (label, name) = share.label();
                            let mut labels = labels(series, None);
                            labels.push(KeyValue::new(label, name));
                            show(value, labels);
                        }
                    }
                });
                if metric.kind == Kind::UpDownCounter {
                    let builder = meter.f64_observable_up_down_counter(name).with_unit(unit);
                    builder.with_description(description).with_callback(observe).build();
                } else {
                    let builder = meter.f64_observable_gauge(name).with_unit(unit);
                    builder.with_description(description).with_callback(observe).build();
                }
            }
            Figure::Ledger(level) => {
                let observe = self.callback(metric, move |series, show| {
                    for ledger in &series.ledgers {
                        show(ledger_level(ledger, level), ledger_labels(series, ledger));
                    }
                });
                if metric.kind == Kind::UpDownCounter {
                    let builder = meter.f64_observable_up_down_counter(name).with_unit(unit);
                    builder.with_description(description).with_callback(observe).build();
                } else {
                    let builder = meter.f64_observable_gauge(name).with_unit(unit);
                    builder.with_description(description).with_callback(observe).build();
                }
            }
            Figure::Renewals => {
                let observe = self.callback(metric, |series, show| {
                    for ledger in &series.ledgers {
                        for ((label, value), count) in renewals(ledger) {
                            let mut labels = ledger_labels(series, ledger);
                            labels.push(KeyValue::new(label, value));
                            show(count, labels);
                        }
                    }
                });
                let builder = meter.u64_observable_counter(name).with_unit(unit);
                builder.with_description(description).with_callback(observe).build();
            }
            Figure::Distribution(_) => {}
        }
    }

    /// Returns a callback that shows a metric's values, until the observation ends.
    fn callback<T: 'static>(
        self: &Arc<Self>,
        metric: &'static Metric,
        each: impl Fn(&Series, &mut dyn FnMut(T, Vec<KeyValue>)) + Send + Sync + 'static,
    ) -> impl Fn(&dyn AsyncInstrument<T>) + Send + Sync + 'static {
        let observer = Arc::downgrade(self);
        move |instrument| {
            let Some(observer) = observer.upgrade() else { return };
            for series in observer.series_for(metric.figure).iter() {
                each(series, &mut |value, labels| instrument.observe(value, &labels));
            }
        }
    }

    /// Returns the reading that a callback is to show: the same for all callbacks of one collection.
    fn series_for(&self, figure: Figure) -> Arc<[Series]> {
        let thread = thread::current().id();
        if let Some(series) = self.continue_collection(thread, figure) {
            return series;
        }
        // An instrument that collects while it records a sample is shown nothing.
        let Some(series) = self.deltas.with(|deltas| self.read(deltas)) else {
            return Arc::default();
        };
        let collection = Collection { thread, series: Arc::clone(&series), shown: vec![figure] };
        let mut collections = self.collections();
        if collections.len() >= COLLECTIONS {
            collections.remove(0);
        }
        collections.push(collection);
        series
    }

    /// Returns the reading of the collection that the thread is in. `None` if the callback of the figure is the
    /// first of a new collection.
    fn continue_collection(&self, thread: ThreadId, figure: Figure) -> Option<Arc<[Series]>> {
        let mut collections = self.collections();
        let index = collections.iter().position(|collection| collection.thread == thread)?;
        let collection = &mut collections[index];
        if collection.shown.contains(&figure) {
            // It has ended. Views may have dropped some of its instruments.
            collections.remove(index);
            return None;
        }
        collection.shown.push(figure);
        let series = Arc::clone(&collection.series);
        if collection.shown.len() + self.histograms.len() == exported().count() {
            // It has ended. Its reading is not needed any more.
            collections.remove(index);
        }
        Some(series)
    }

    fn collections(&self) -> MutexGuard<'_, Vec<Collection>> {
        self.collections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads all limiters, and records the samples that are new.
    fn read(&self, deltas: &mut Deltas) -> Arc<[Series]> {
        let all = deltas.read();
        for (distribution, histogram) in &self.histograms {
            for series in &all {
                for (runtime, samples) in series.samples(*distribution) {
                    let Some(samples) = samples else { continue };
                    let new = deltas.take(*distribution, &series.limiter, runtime, samples);
                    if new.is_empty() {
                        continue;
                    }
                    let labels = labels(series, runtime);
                    for (seconds, count) in new {
                        for _ in 0..count {
                            histogram.record(seconds, &labels);
                        }
                    }
                }
            }
        }
        deltas.forget_absent();
        all.into()
    }
}

fn labels(series: &Series, runtime: Option<Runtime>) -> Vec<KeyValue> {
    let limiter = StringValue::from(Arc::clone(&series.limiter));
    let runtime = runtime.map(|runtime| KeyValue::new(RUNTIME, runtime.to_string()));
    [KeyValue::new(LIMITER.name, limiter)].into_iter().chain(runtime).collect()
}

fn ledger_labels(series: &Series, ledger: &LedgerFigures) -> Vec<KeyValue> {
    let mut labels = labels(series, None);
    labels.extend(ledger.key.clone().map(|key| KeyValue::new(KEY.name, key)));
    labels
}
