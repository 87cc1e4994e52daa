//! For OpenTelemetry: instruments on a `Meter`.
//!
//! An SDK keeps only so many series of an instrument, 2000 unless told otherwise, and takes those beyond
//! for one. `concurrency_limit.acquisitions` has eight for each limiter: with more than 250 limiters,
//! raise the limit by a view. Of the [limiters that are dropped](super#limiters-that-are-dropped) a hundred
//! are among them.
//!
//! The histograms have the waits and holds of all limiters from when they are first observed on, and those from
//! before of the limiters that there are then.
//!
//! # Implementation details
//!
//! All instruments but the histograms are observed when they are collected. A wait is *told* the histogram
//! by the call that has waited, when it notices that it was let in (and a hold by the call that ends). What had been waited before somebody
//! observed is told then, and whatever a collection finds that was not told, because both happened at
//! the same time, is told by the collection. For that each limiter keeps what it has told (`Told`).
//!
//! A call tells *before* it puts its wait where a reading of the limiter sees it. So what a reading sees
//! and was not told yet will not be told by the call any more: nothing is told twice.

mod told;

use super::ledger::{Ledger, Line, Runtime, Shown};
use super::{Figure, Kind, LIMITER, Metric, RUNTIME, exported, results, sources};
use crate::limiter::{Entry, entries};
use crate::metrics::{Histogram, bounds};
use crate::registry;
use ::opentelemetry::metrics::{AsyncInstrument, Histogram as Instrument, Meter};
use ::opentelemetry::{KeyValue, StringValue};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
#[cfg(feature = "diagnostics")]
pub(crate) use told::held;
use told::not_yet_told;
pub(crate) use told::{Told, waited};

/// Who observes.
static OBSERVERS: Mutex<Observers> = Mutex::new(Observers { all: Vec::new(), changes: 0 });

/// How often [`OBSERVERS`] has changed, and 0 if there is none.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Observes all limiters on a meter, from now until what it returns is dropped. What they have counted
/// before is observed as well; the histograms take it one by one, so it is best done when a program starts.
///
/// Once for each provider: the instruments stay with the meter, and a second observation of the same one
/// would report everything twice.
///
/// # Examples
///
/// ```
/// use limit_runtime::exporters::opentelemetry::observe;
/// use opentelemetry::global;
///
/// // When the provider is set:
/// let _observation = observe(&global::meter("limits"));
/// // ... the program ...
/// ```
pub fn observe(meter: &Meter) -> Observation {
    observe_by(meter, false)
}

/// The same, by runtime: see [By runtime](super#by-runtime). A call that has waited finds out which
/// runtime's permits it got, which takes longer the more runtimes there are.
///
/// # Examples
///
/// ```
/// use limit_runtime::exporters::opentelemetry::observe_by_runtime;
/// use opentelemetry::global;
///
/// let _observation = observe_by_runtime(&global::meter("limits"));
/// ```
pub fn observe_by_runtime(meter: &Meter) -> Observation {
    observe_by(meter, true)
}

fn observe_by(meter: &Meter, by_runtime: bool) -> Observation {
    let histogram = |metric: &Metric| {
        let histogram = meter.f64_histogram(metric.name).with_unit(metric.unit);
        let histogram = histogram.with_description(metric.description);
        histogram.with_boundaries(bounds().to_vec()).build()
    };
    let find = |figure| exported().find(|metric| metric.figure == figure).map(histogram);
    let instruments = [find(Figure::Waits), find(Figure::HoldTime)];
    let reading = Reading { ledger: Ledger::new(by_runtime), ..Reading::default() };
    let (reading, has_ended) = (Mutex::new(reading), AtomicBool::new(false));
    let observer = Arc::new(Observer { by_runtime, instruments, reading, has_ended });
    change_observers(|observers| observers.push(Arc::clone(&observer)));
    for entry in entries() {
        observer.catch_up(&entry);
    }
    for metric in exported() {
        observer.build(meter, metric);
    }
    Observation { observer }
}

/// All limiters are observed, until this is dropped. See [`observe`].
#[must_use = "it ends when it is dropped"]
pub struct Observation {
    observer: Arc<Observer>,
}

impl Drop for Observation {
    fn drop(&mut self) {
        change_observers(|observers| {
            observers.retain(|observer| !Arc::ptr_eq(observer, &self.observer));
        });
        self.observer.has_ended.store(true, Ordering::Relaxed);
        // So that neither it keeps limiters, nor a limiter the instruments.
        let reading = std::mem::take(&mut *self.observer.lock());
        drop(reading);
        for entry in entries() {
            let unneeded = entry.told.lock().update();
            drop(unneeded);
        }
    }
}

impl fmt::Debug for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observation").finish_non_exhaustive()
    }
}

struct Observers {
    all: Vec<Arc<Observer>>,
    changes: u64,
}

fn change_observers(change: impl FnOnce(&mut Vec<Arc<Observer>>)) {
    let mut observers = OBSERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    change(&mut observers.all);
    observers.changes += 1;
    let generation = if observers.all.is_empty() { 0 } else { observers.changes };
    GENERATION.store(generation, Ordering::Release);
}

/// What is told sample by sample: the instruments' places.
#[derive(Clone, Copy)]
enum Sampled {
    Waits,
    Holds,
}

struct Observer {
    by_runtime: bool,
    /// Of waits and, if they are there, of holds.
    instruments: [Option<Instrument<f64>>; 2],
    reading: Mutex<Reading>,
    /// Whoever tells it something just now still has it.
    has_ended: AtomicBool,
}

/// What the instruments of one collection show.
#[derive(Default)]
struct Reading {
    ledger: Ledger,
    lines: Arc<[Line]>,
    /// Which have shown it.
    shown: Vec<Figure>,
}

impl Observer {
    fn build(self: &Arc<Self>, meter: &Meter, metric: &'static Metric) {
        let (name, unit, description) = (metric.name, metric.unit, metric.description);
        match metric.kind {
            Kind::Gauge if metric.figure == Figure::OldestHolder => {
                let builder = meter.f64_observable_gauge(name).with_unit(unit);
                let observer = Arc::downgrade(self);
                let observe = move |instrument: &dyn AsyncInstrument<f64>| {
                    let Some(observer) = observer.upgrade() else { return };
                    for line in observer.lines(Figure::OldestHolder).iter() {
                        if let Some(started) = line.oldest_holder {
                            instrument.observe(started, &labels(&line.limiter, None));
                        }
                    }
                };
                builder.with_description(description).with_callback(observe).build();
            }
            Kind::Gauge => {
                let builder = meter.u64_observable_gauge(name).with_unit(unit);
                let observe = self.callback(metric, |value| value);
                builder.with_description(description).with_callback(observe).build();
            }
            Kind::UpDownCounter => {
                let builder = meter.i64_observable_up_down_counter(name).with_unit(unit);
                let observe =
                    self.callback(metric, |value| i64::try_from(value).unwrap_or(i64::MAX));
                builder.with_description(description).with_callback(observe).build();
            }
            Kind::Counter => {
                let builder = meter.u64_observable_counter(name).with_unit(unit);
                let observe = self.callback(metric, |value| value);
                builder.with_description(description).with_callback(observe).build();
            }
            Kind::Histogram => {}
        }
    }

    /// Shows a metric's values, for as long as somebody observes.
    fn callback<T: 'static>(
        self: &Arc<Self>,
        metric: &'static Metric,
        value: fn(u64) -> T,
    ) -> impl Fn(&dyn AsyncInstrument<T>) + Send + Sync + 'static {
        // The meter's provider keeps callbacks for ever.
        let observer: Weak<Self> = Arc::downgrade(self);
        move |instrument| {
            let Some(observer) = observer.upgrade() else { return };
            for line in observer.lines(metric.figure).iter() {
                each_value(metric, line, |runtime, more, count| {
                    let mut labels = labels(&line.limiter, runtime);
                    labels.extend(more);
                    instrument.observe(value(count), &labels);
                });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an instrument is to show: the same for all instruments of one collection.
    fn lines(&self, figure: Figure) -> Arc<[Line]> {
        let mut reading = self.lock();
        // Here, so that none is made after it has ended.
        if self.has_ended.load(Ordering::Relaxed) {
            return Arc::default();
        }
        if !reading.lines.is_empty() && !reading.shown.contains(&figure) {
            reading.shown.push(figure);
            return Arc::clone(&reading.lines);
        }
        // The next collection.
        reading.lines = reading.ledger.read().into();
        reading.shown = vec![figure];
        let lines = Arc::clone(&reading.lines);
        drop(reading);
        for entry in entries() {
            self.catch_up(&entry);
        }
        lines
    }

    /// Tells what has not been told.
    fn catch_up(&self, entry: &Entry) {
        // First: see the module's documentation.
        let export = if self.by_runtime { entry.export_by_runtime() } else { entry.export() };
        let Some(export) = export else { return };
        let holds = entry.hold_times();
        let mut told = entry.told.lock();
        let unneeded = told.update();
        let mut missing = Vec::new();
        if let Some(target) = told.targets.iter_mut().find(|target| target.is_of(self)) {
            let (none, mut all) = (Histogram::default(), Histogram::default());
            let mut live = HashMap::new();
            for part in &export.parts {
                let waits = part.totals.counters.waits().unwrap_or(&none);
                all.add(waits);
                if let Some(number) = part.runtime {
                    let mut told = target.by_runtime.remove(&number).unwrap_or_default();
                    let new = not_yet_told(waits, &mut told);
                    target.waits.add(&new);
                    live.insert(number, told);
                    missing.push((Sampled::Waits, Some(Runtime::Number(number)), new));
                }
            }
            // What is left is of those that have ended, and of some that have begun since.
            if !target.by_runtime.is_empty() {
                let begun = registry::live();
                target.by_runtime.retain(|number, _| begun.contains(number));
            }
            target.by_runtime.extend(live);
            let runtime = self.by_runtime.then_some(Runtime::Retired);
            missing.push((Sampled::Waits, runtime, not_yet_told(&all, &mut target.waits)));
            if let Some(holds) = &holds {
                missing.push((Sampled::Holds, None, not_yet_told(holds, &mut target.holds)));
            }
        }
        drop(told);
        drop(unneeded);
        for (sampled, runtime, samples) in missing {
            let labels = labels(&entry.name, runtime);
            for (seconds, count) in samples.samples() {
                for _ in 0..count {
                    self.record(sampled, seconds, &labels);
                }
            }
        }
    }

    fn record(&self, sampled: Sampled, seconds: f64, labels: &[KeyValue]) {
        if let Some(instrument) = &self.instruments[sampled as usize] {
            instrument.record(seconds, labels);
        }
    }
}

/// A metric's values for a limiter, each with its labels besides the limiter's.
fn each_value(
    metric: &Metric,
    line: &Line,
    mut show: impl FnMut(Option<Runtime>, Option<KeyValue>, u64),
) {
    if metric.figure == Figure::Changes {
        for (source, count) in sources(line.changes) {
            show(None, Some(KeyValue::new("source", source)), count);
        }
    }
    for Shown { runtime, now, counters: of_part } in &line.parts {
        let figure = match (metric.figure, now) {
            (Figure::Results, _) => {
                for (result, count) in results(of_part) {
                    show(*runtime, Some(KeyValue::new("result", result)), count);
                }
                None
            }
            (Figure::Limit, Some(now)) => now.limit,
            (Figure::InUse, Some(now)) => Some(now.in_use),
            (Figure::Waiting, Some(now)) => Some(now.waiting),
            (Figure::Keys, Some(now)) => Some(now.keys),
            _ => None,
        };
        if let Some(figure) = figure {
            show(*runtime, None, u64::try_from(figure).unwrap_or(u64::MAX));
        }
    }
}

fn labels(limiter: &Arc<str>, runtime: Option<Runtime>) -> Vec<KeyValue> {
    let runtime = runtime.map(|runtime| match runtime {
        Runtime::Retired => KeyValue::new(RUNTIME, "retired"),
        Runtime::Number(_) => KeyValue::new(RUNTIME, runtime.to_string()),
    });
    let limiter = KeyValue::new(LIMITER, StringValue::from(Arc::clone(limiter)));
    [limiter].into_iter().chain(runtime).collect()
}
