//! For the facade `metrics`.
//!
//! Before the recorder's figures are rendered or sent, say what the limiters have:
//!
//! ```
//! use limit_runtime::exporters::metrics::{collect, describe};
//!
//! describe(); // once, when the recorder is installed
//! collect(); // each time before rendering
//! ```
//!
//! The names are those of [`METRICS`](super::METRICS) with their dots. Which characters a recorder
//! changes in them, and whether it adds a unit, is its own affair.

use super::ledger::{Ledger, Line, Now, Runtime};
use super::{Figure, Kind, LIMITER, Metric, RUNTIME, exported, results, sources};
use crate::metrics::Histogram;
use ::metrics::{Key, Label, Level, Metadata, Recorder, SharedString, Unit, with_recorder};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// What recorders know. The last that was used is last.
static KNOWN: Mutex<Vec<(Identity, Known)>> = Mutex::new(Vec::new());

/// Of so many recorders it is remembered what they know.
const RECORDERS: usize = 32;

const METADATA: Metadata<'static> =
    Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// Where a recorder is, and how large: the facade says nothing else of it. And whether it is told by runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    place: usize,
    size: usize,
    runtime: bool,
}

/// What a recorder knows.
struct Known {
    ledger: Ledger,
    /// How often it was told.
    reading: u64,
    samples: Samples,
    /// Whose gauges are not 0.
    live: HashSet<(Arc<str>, Option<Runtime>)>,
}

/// By metric, limiter and runtime; and the reading at which they were told last.
type Samples = HashMap<(&'static str, Arc<str>, Option<Runtime>), (Histogram, u64)>;

impl Known {
    fn new(by_runtime: bool) -> Self {
        let (samples, live) = Default::default();
        Self { ledger: Ledger::new(by_runtime), reading: 0, samples, live }
    }
}

/// Tells the recorder what each metric is.
///
/// # Examples
///
/// See the [module's documentation](self).
pub fn describe() {
    with_recorder(|recorder| {
        for metric in exported() {
            let (name, unit) = (metric.name.into(), Some(unit(metric)));
            let description = metric.description.into();
            match metric.kind {
                Kind::Gauge | Kind::UpDownCounter => {
                    recorder.describe_gauge(name, unit, description);
                }
                Kind::Counter => recorder.describe_counter(name, unit, description),
                Kind::Histogram => recorder.describe_histogram(name, unit, description),
            }
        }
    });
}

fn unit(metric: &Metric) -> Unit {
    if metric.unit == "s" { Unit::Seconds } else { Unit::Count }
}

/// Tells the recorder all limiters' figures. To be called before it is rendered.
///
/// Counters and gauges are set; of the waits, the recorder gets those that have come since it was told
/// last, on the first time all there ever were. So nothing is lost if it was installed late. (Recorders
/// are told apart by where they are. One that is made in the place of a former one, in a test for
/// instance, may miss waits that the former was told.)
///
/// Not to be called by the recorder itself, while it is told.
///
/// A recorder keeps what it was told: when a limiter is dropped its gauges become 0, and its counters
/// stay. See [Limiters that are dropped](super#limiters-that-are-dropped).
///
/// # Examples
///
/// See the [module's documentation](self).
pub fn collect() {
    collect_by(false);
}

/// The same, by runtime: see [By runtime](super#by-runtime). For a recorder either this or [`collect`]: it
/// would have everything twice.
///
/// # Examples
///
/// ```
/// limit_runtime::exporters::metrics::collect_by_runtime(); // each time before rendering
/// ```
pub fn collect_by_runtime() {
    collect_by(true);
}

fn collect_by(runtime: bool) {
    // All under one lock, so that no recorder is told the same waits twice.
    let mut recorders = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    with_recorder(|recorder| {
        let place = std::ptr::from_ref(recorder).cast::<()>().addr();
        let identity = Identity { place, size: size_of_val(recorder), runtime };
        let index = recorders.iter().position(|(of, _)| *of == identity);
        let known =
            index.map_or_else(|| (identity, Known::new(runtime)), |index| recorders.remove(index));
        if recorders.len() >= RECORDERS {
            recorders.remove(0);
        }
        // Already, because the recorder may panic.
        recorders.push(known);
        let Some((_, known)) = recorders.last_mut() else { return };
        known.reading += 1;
        let lines = known.ledger.read();
        let live: HashSet<_> = lines.iter().flat_map(live_parts).collect();
        let gone: Vec<_> = known.live.difference(&live).cloned().collect();
        // Those that are gone still are among them, if the recorder panics.
        known.live.extend(live.iter().cloned());
        for metric in exported() {
            for line in &lines {
                tell(recorder, metric, line, known.reading, &mut known.samples);
            }
        }
        let names: HashSet<_> = live.iter().map(|(limiter, _)| limiter).collect();
        for (limiter, runtime) in &gone {
            let is_dropped = !names.contains(limiter);
            for metric in exported() {
                take_back(recorder, metric, limiter, *runtime, is_dropped);
            }
        }
        known.live = live;
        // Not those of runtimes that have ended, and of names that are forgotten.
        let Known { ledger, reading, samples, .. } = known;
        samples.retain(|(_, name, _), (_, last)| *last == *reading || ledger.is_hidden(name));
    });
}

/// The parts of a line that are of this moment.
fn live_parts(line: &Line) -> impl Iterator<Item = (Arc<str>, Option<Runtime>)> + '_ {
    let parts = line.parts.iter().filter(|part| part.now.is_some());
    parts.map(|part| (Arc::clone(&line.limiter), part.runtime))
}

fn key(
    metric: &'static Metric,
    limiter: &Arc<str>,
    runtime: Option<Runtime>,
    more: Option<(&'static str, &'static str)>,
) -> Key {
    let limiter = SharedString::from_shared(Arc::clone(limiter));
    let mut labels = vec![Label::new(LIMITER, limiter)];
    labels.extend(runtime.map(|runtime| Label::new(RUNTIME, runtime.to_string())));
    labels.extend(more.map(|(label, value)| Label::from_static_parts(label, value)));
    Key::from_parts(metric.name, labels)
}

/// What is no more has no gauges: but a recorder keeps what it was told last.
fn take_back(
    recorder: &dyn Recorder,
    metric: &'static Metric,
    limiter: &Arc<str>,
    runtime: Option<Runtime>,
    is_dropped: bool,
) {
    let (runtime, value) = match metric.figure {
        Figure::Limit if runtime == Some(Runtime::Retired) => return,
        Figure::Limit | Figure::InUse | Figure::Waiting | Figure::Keys => (runtime, 0.0),
        Figure::OldestHolder if is_dropped => (None, f64::NAN),
        Figure::OldestHolder
        | Figure::Results
        | Figure::Waits
        | Figure::Changes
        | Figure::HoldTime => return,
    };
    recorder.register_gauge(&key(metric, limiter, runtime, None), &METADATA).set(value);
}

fn tell(
    recorder: &dyn Recorder,
    metric: &'static Metric,
    line: &Line,
    reading: u64,
    known: &mut Samples,
) {
    let key = |runtime, more| key(metric, &line.limiter, runtime, more);
    let gauges = |figure: fn(&Now) -> Option<usize>| {
        for part in &line.parts {
            if let Some(value) = part.now.as_ref().and_then(figure) {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "more than 2^53 are known well enough"
                )]
                recorder.register_gauge(&key(part.runtime, None), &METADATA).set(value as f64);
            }
        }
    };
    let counters = |runtime, label, values: &[(&'static str, u64)]| {
        for (value, count) in values {
            let key = key(runtime, Some((label, value)));
            recorder.register_counter(&key, &METADATA).absolute(*count);
        }
    };
    let mut samples = |runtime, samples: Option<&Histogram>| {
        // Also if there is none, so that the series is there.
        let histogram = recorder.register_histogram(&key(runtime, None), &METADATA);
        let Some(samples) = samples else { return };
        let series = (metric.name, Arc::clone(&line.limiter), runtime);
        let mut new = samples.clone();
        // Already, because the recorder may panic.
        if let Some((before, _)) = known.insert(series, (samples.clone(), reading)) {
            new.subtract(&before);
        }
        for (seconds, count) in new.samples() {
            histogram.record_many(seconds, usize::try_from(count).unwrap_or(usize::MAX));
        }
    };
    match metric.figure {
        Figure::Limit => gauges(|now| now.limit),
        Figure::InUse => gauges(|now| Some(now.in_use)),
        Figure::Waiting => gauges(|now| Some(now.waiting)),
        Figure::Keys => gauges(|now| Some(now.keys)),
        Figure::Results => {
            line.parts
                .iter()
                .for_each(|part| counters(part.runtime, "result", &results(&part.counters)));
        }
        Figure::Changes => counters(None, "source", &sources(line.changes)),
        Figure::Waits => {
            line.parts.iter().for_each(|part| samples(part.runtime, part.counters.waits()));
        }
        Figure::HoldTime => samples(None, line.holds.as_deref()),
        // No number, if there is none: it cannot be taken back, and 0 would be very old.
        Figure::OldestHolder if live_parts(line).next().is_some() => {
            let started = line.oldest_holder.unwrap_or(f64::NAN);
            recorder.register_gauge(&key(None, None), &METADATA).set(started);
        }
        Figure::OldestHolder => {}
    }
}
