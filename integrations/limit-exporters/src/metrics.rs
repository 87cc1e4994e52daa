//! Figures for the facade `metrics`.
//!
//! Hand the figures of all limiters to the recorder before it renders or sends its own:
//!
//! ```
//! use limit_exporters::metrics::{collect, describe};
//!
//! describe(); // once, when the recorder is installed
//! collect(); // each time before rendering
//! ```
//!
//! The names are those of [`METRICS`](crate::METRICS) with their dots. A recorder may change characters in them
//! and may add the unit.

mod keys;
mod states;

use crate::deltas::Deltas;
use crate::exclusive::Exclusive;
use crate::labels::SHARE;
use crate::list::exported;
use crate::metric::{Figure, Kind, Level, Metric, ShareLevel};
use crate::series::{Runtime, Series, ledger_level, renewals};
use ::metrics::{Recorder, Unit, with_recorder};
use keys::{METADATA, key, ledger_key};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The state for each recorder. The recorder that was used last is last.
static KNOWN: Exclusive<Vec<(Identity, RecorderState)>> = Exclusive::new(Vec::new());

/// The number of recorders whose state is kept.
const RECORDERS: usize = 32;

/// The address and the size of a recorder, which are all that the facade says of it; and whether it receives
/// figures by runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    address: usize,
    size: usize,
    by_runtime: bool,
}

/// The state for a recorder: what it has received.
struct RecorderState {
    deltas: Deltas,
    /// The limiters and runtimes whose gauges are not 0.
    live: HashSet<(Arc<str>, Option<Runtime>)>,
    /// The figures of whole limiters whose gauges are not at rest, as [`states::of`] has them.
    states: HashMap<Arc<str>, u32>,
    /// The limiters and names of the shares whose gauges are not 0.
    shares: HashSet<(Arc<str>, &'static str)>,
    /// The limiters and keys of the ledgers whose gauges are not 0.
    ledgers: HashSet<(Arc<str>, Option<String>)>,
}

impl RecorderState {
    fn new(by_runtime: bool) -> Self {
        let (live, states) = (HashSet::new(), HashMap::new());
        let (shares, ledgers) = (HashSet::new(), HashSet::new());
        Self { deltas: Deltas::new(by_runtime), live, states, shares, ledgers }
    }
}

/// Describes each metric to the recorder.
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

/// Hands the figures of all limiters to the recorder. Call it each time before the recorder renders.
///
/// It sets counters and gauges. Histograms receive the samples that came since the last call, and at the
/// first call all samples there ever were: a recorder that is installed late misses nothing. See
/// [Waits and holds](crate#waits-and-holds). (Recorders are told apart by their address. A new recorder at the
/// address of a former one, in a test for instance, may miss samples that the former one received.)
///
/// It does nothing if the recorder itself calls it while it receives figures.
///
/// A recorder keeps what it has received. When a limiter is dropped its gauges become 0, and its counters
/// stay. See [Limiters that are dropped](crate#limiters-that-are-dropped).
///
/// # Examples
///
/// See the [module's documentation](self).
pub fn collect() {
    collect_by(false);
}

/// Hands the figures to the recorder by runtime: see [By runtime](crate#by-runtime). Use either this function or
/// [`collect`] for a recorder: with both, it has everything twice.
///
/// # Examples
///
/// ```
/// limit_exporters::metrics::collect_by_runtime(); // each time before rendering
/// ```
pub fn collect_by_runtime() {
    collect_by(true);
}

fn collect_by(by_runtime: bool) {
    with_recorder(|recorder| {
        // One thread after another, so that no recorder receives the same samples twice.
        KNOWN.with(|recorders| {
            hand_over(recorder, known(recorders, recorder, by_runtime));
        });
    });
}

/// Returns the state for a recorder, and moves it to the end of the list.
fn known<'a>(
    recorders: &'a mut Vec<(Identity, RecorderState)>,
    recorder: &dyn Recorder,
    by_runtime: bool,
) -> &'a mut RecorderState {
    let address = std::ptr::from_ref(recorder).cast::<()>().addr();
    let identity = Identity { address, size: size_of_val(recorder), by_runtime };
    let index = recorders.iter().position(|(other, _)| *other == identity);
    let known = index.map_or_else(
        || (identity, RecorderState::new(by_runtime)),
        |index| recorders.remove(index),
    );
    if recorders.len() >= RECORDERS {
        recorders.remove(0);
    }
    // Back in the list before the recorder is called: it may panic.
    recorders.push(known);
    let last = recorders.len() - 1;
    &mut recorders[last].1
}

fn hand_over(recorder: &dyn Recorder, known: &mut RecorderState) {
    let all = known.deltas.read();
    let live: HashSet<_> = all.iter().flat_map(live_parts).collect();
    let gone: Vec<_> = known.live.difference(&live).cloned().collect();
    // With those that are gone, until they are taken back: the recorder may panic.
    known.live.extend(live.iter().cloned());
    let states: HashMap<_, _> =
        all.iter().map(|series| (Arc::clone(&series.limiter), states::of(series))).collect();
    let gone_states: Vec<_> = known
        .states
        .iter()
        .map(|(limiter, had)| (Arc::clone(limiter), had & !states.get(limiter).unwrap_or(&0)))
        .filter(|(_, gone)| *gone != 0)
        .collect();
    for (limiter, has) in &states {
        *known.states.entry(Arc::clone(limiter)).or_default() |= has;
    }
    let shares: HashSet<_> = all.iter().flat_map(shares).collect();
    let gone_shares: Vec<_> = known.shares.difference(&shares).cloned().collect();
    known.shares.extend(shares.iter().cloned());
    let ledgers: HashSet<_> = all.iter().flat_map(ledgers).collect();
    let gone_ledgers: Vec<_> = known.ledgers.difference(&ledgers).cloned().collect();
    known.ledgers.extend(ledgers.iter().cloned());
    for metric in exported() {
        for series in &all {
            record(recorder, metric, series, &mut known.deltas);
        }
    }
    for (limiter, runtime) in &gone {
        for metric in exported() {
            take_back(recorder, metric, limiter, *runtime);
        }
    }
    for (limiter, gone) in &gone_states {
        states::take_back(recorder, limiter, *gone);
    }
    for (limiter, share) in &gone_shares {
        for metric in exported().filter(|metric| matches!(metric.figure, Figure::Share(_))) {
            let key = key(metric, limiter, None, Some((SHARE.name, share)));
            recorder.register_gauge(&key, &METADATA).set(0.0);
        }
    }
    for (limiter, key) in &gone_ledgers {
        for metric in exported().filter(|metric| matches!(metric.figure, Figure::Ledger(_))) {
            let key = ledger_key(metric, limiter, key.as_deref(), None);
            recorder.register_gauge(&key, &METADATA).set(0.0);
        }
    }
    (known.live, known.states) = (live, states);
    (known.shares, known.ledgers) = (shares, ledgers);
    known.deltas.forget_absent();
}

/// Returns the limiter and the runtime of each part that has gauges.
fn live_parts(series: &Series) -> impl Iterator<Item = (Arc<str>, Option<Runtime>)> + '_ {
    let parts = series.parts.iter().filter(|part| part.usage.is_some());
    parts.map(|part| (Arc::clone(&series.limiter), part.runtime))
}

/// Returns the limiter and the name of each share that has gauges.
fn shares(series: &Series) -> impl Iterator<Item = (Arc<str>, &'static str)> + '_ {
    let shares = series.shares.iter().filter(|share| share.level(ShareLevel::InUse).is_some());
    shares.map(|share| (Arc::clone(&series.limiter), share.name))
}

/// Returns the limiter and the key of each ledger.
fn ledgers(series: &Series) -> impl Iterator<Item = (Arc<str>, Option<String>)> + '_ {
    series.ledgers.iter().map(|ledger| (Arc::clone(&series.limiter), ledger.key.clone()))
}

/// Resets a gauge of a limiter or a runtime that is gone. The recorder would show its last value for ever.
fn take_back(
    recorder: &dyn Recorder,
    metric: &'static Metric,
    limiter: &Arc<str>,
    runtime: Option<Runtime>,
) {
    match metric.figure {
        // Ended runtimes have had none.
        Figure::Level(Level::Limit) if runtime == Some(Runtime::Retired) => {}
        Figure::Level(_) => {
            recorder.register_gauge(&key(metric, limiter, runtime, None), &METADATA).set(0.0);
        }
        Figure::State(_)
        | Figure::Count(_)
        | Figure::Distribution(_)
        | Figure::Share(_)
        | Figure::Ledger(_)
        | Figure::Renewals => {}
    }
}

/// Hands the figures of one limiter and one metric to the recorder.
fn record(recorder: &dyn Recorder, metric: &'static Metric, series: &Series, deltas: &mut Deltas) {
    let key = |runtime, more| key(metric, &series.limiter, runtime, more);
    match metric.figure {
        Figure::Level(level) => {
            for (runtime, value) in series.levels(level) {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "more than 2^53 are known well enough"
                )]
                recorder.register_gauge(&key(runtime, None), &METADATA).set(value as f64);
            }
        }
        Figure::Count(count) => {
            for (runtime, label, value) in series.counts(count) {
                let key = key(runtime, label);
                recorder.register_counter(&key, &METADATA).absolute(value);
            }
        }
        Figure::Distribution(distribution) => {
            for (runtime, samples) in series.samples(distribution) {
                // Without samples too, so that the series is there.
                let histogram = recorder.register_histogram(&key(runtime, None), &METADATA);
                let Some(samples) = samples else { continue };
                let new = deltas.take(distribution, &series.limiter, runtime, samples);
                for (seconds, count) in new {
                    histogram.record_many(seconds, usize::try_from(count).unwrap_or(usize::MAX));
                }
            }
        }
        Figure::State(state) => {
            if let Some(known) = &series.state {
                let figure = known.get(state);
                if states::is_there(state, figure) {
                    states::set(recorder, metric, &series.limiter, state, figure);
                }
            }
        }
        Figure::Share(level) => {
            for share in &series.shares {
                if let Some(value) = share.level(level) {
                    recorder.register_gauge(&key(None, Some(share.label())), &METADATA).set(value);
                }
            }
        }
        Figure::Ledger(level) => {
            for ledger in &series.ledgers {
                let key = ledger_key(metric, &series.limiter, ledger.key.as_deref(), None);
                recorder.register_gauge(&key, &METADATA).set(ledger_level(ledger, level));
            }
        }
        Figure::Renewals => {
            for ledger in &series.ledgers {
                for (label, count) in renewals(ledger) {
                    let key =
                        ledger_key(metric, &series.limiter, ledger.key.as_deref(), Some(label));
                    recorder.register_counter(&key, &METADATA).absolute(count);
                }
            }
        }
    }
}
