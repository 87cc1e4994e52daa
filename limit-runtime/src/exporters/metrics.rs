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

use super::ledger::{Ledger, Line};
use super::{Figure, Kind, LIMITER, Metric, exported, results, sources};
use crate::metrics::Histogram;
use ::metrics::{Key, Label, Level, Metadata, Recorder, SharedString, Unit, with_recorder};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What recorders know. The last that was used is last.
static KNOWN: Mutex<Vec<(Identity, Known)>> = Mutex::new(Vec::new());

/// Of so many recorders it is remembered what they know.
const RECORDERS: usize = 32;

const METADATA: Metadata<'static> =
    Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// Where a recorder is, and how large: the facade says nothing else of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity(usize, usize);

/// What a recorder knows.
#[derive(Default)]
struct Known {
    ledger: Ledger,
    /// By metric and limiter.
    samples: HashMap<(&'static str, Arc<str>), Histogram>,
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
/// A recorder keeps what it was told: when a limiter is dropped its gauges become 0, and its counters
/// stay.
///
/// # Examples
///
/// See the [module's documentation](self).
pub fn collect() {
    // All under one lock, so that no recorder is told the same waits twice.
    let mut recorders = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    with_recorder(|recorder| {
        let place = std::ptr::from_ref(recorder).cast::<()>().addr();
        let identity = Identity(place, size_of_val(recorder));
        let index = recorders.iter().position(|(of, _)| *of == identity);
        let known =
            index.map_or_else(|| (identity, Known::default()), |index| recorders.remove(index));
        if recorders.len() >= RECORDERS {
            recorders.remove(0);
        }
        // Already, because the recorder may panic.
        recorders.push(known);
        let Some((_, known)) = recorders.last_mut() else { return };
        let lines = known.ledger.read();
        for metric in exported() {
            for line in &lines {
                tell(recorder, metric, line, &mut known.samples);
            }
        }
    });
}

fn tell(
    recorder: &dyn Recorder,
    metric: &'static Metric,
    line: &Line,
    known: &mut HashMap<(&'static str, Arc<str>), Histogram>,
) {
    let key = |more: Option<(&'static str, &'static str)>| {
        let limiter = SharedString::from_shared(Arc::clone(&line.limiter));
        let mut labels = vec![Label::new(LIMITER, limiter)];
        labels.extend(more.map(|(label, value)| Label::from_static_parts(label, value)));
        Key::from_parts(metric.name, labels)
    };
    let now = |figure: fn(&crate::metrics::Part) -> usize| line.now.as_ref().map_or(0, figure);
    let gauge = |value: usize| {
        #[expect(clippy::cast_precision_loss, reason = "more than 2^53 are known well enough")]
        recorder.register_gauge(&key(None), &METADATA).set(value as f64);
    };
    let counters = |label, values: &[(&'static str, u64)]| {
        for (value, count) in values {
            recorder.register_counter(&key(Some((label, value))), &METADATA).absolute(*count);
        }
    };
    let mut samples = |samples: Option<&Histogram>| {
        // Also if there is none, so that the series is there.
        let histogram = recorder.register_histogram(&key(None), &METADATA);
        let Some(samples) = samples else { return };
        let before = known.insert((metric.name, Arc::clone(&line.limiter)), samples.clone());
        for (seconds, count) in samples.since(before.as_ref()) {
            histogram.record_many(seconds, usize::try_from(count).unwrap_or(usize::MAX));
        }
    };
    match metric.figure {
        Figure::Limit => gauge(now(|part| part.limit.unwrap_or_default())),
        Figure::InUse => gauge(now(|part| part.totals.in_use)),
        Figure::Waiting => gauge(now(|part| part.totals.waiting)),
        Figure::Keys => gauge(now(|part| part.totals.keys)),
        Figure::Results => counters("result", &results(&line.counters)),
        Figure::Changes => counters("source", &sources(line.changes)),
        Figure::Waits => samples(line.counters.waits()),
        Figure::HoldTime => samples(line.holds.as_deref()),
        // No number, if there is none: it cannot be taken back, and 0 would be very old.
        Figure::OldestHolder => {
            let started = line.oldest_holder.unwrap_or(f64::NAN);
            recorder.register_gauge(&key(None), &METADATA).set(started);
        }
    }
}
