//! The gauges of whole limiters.
//!
//! A recorder cannot forget a gauge. So one whose figure is gone is set to 0, or to no number where 0 would mean something else.

use super::keys::{METADATA, key};
use crate::Label;
use crate::labels::ExtraLabel;
use crate::list::exported;
use crate::metric::{Figure, Metric, State};
use crate::series::Series;
use ::metrics::Recorder;
use std::sync::Arc;

/// A figure, with its label if it has one.
type StateFigure = Option<(Option<ExtraLabel>, f64)>;

/// Returns the figures of the whole limiter that it has, a bit for each.
pub(super) fn of(series: &Series) -> u32 {
    let Some(known) = &series.state else { return 0 };
    let there = states().filter(|&(_, state)| is_there(state, known.get(state)));
    there.fold(0, |bits, (_, state)| bits | bit(state))
}

/// Returns whether a limiter has a gauge. Each has that of the oldest holder, even if there is no holder.
pub(super) fn is_there(state: State, figure: StateFigure) -> bool {
    figure.is_some() || state == State::OldestHolder
}

/// Sets the gauges of a figure. Those with the other values of its label become 0.
pub(super) fn set(
    recorder: &dyn Recorder,
    metric: &'static Metric,
    limiter: &Arc<str>,
    state: State,
    figure: StateFigure,
) {
    let set = |label: Option<ExtraLabel>, value: f64| {
        recorder.register_gauge(&key(metric, limiter, None, label), &METADATA).set(value);
    };
    let none = match state {
        // 0 would be a very old holder, a limit that is switched off, a queue for nobody, a call without any work, or
        // advice to pause.
        State::OldestHolder
        | State::Enforced
        | State::MaxWaiting
        | State::MaxWaitingTotal
        | State::MaxWait
        | State::AdaptiveBaseTime
        | State::AdaptiveTime
        | State::AdaptiveQueue
        | State::AdaptiveAdvice => f64::NAN,
        _ => 0.0,
    };
    let (label, value) = figure.unwrap_or((None, none));
    match metric.labels.get(1) {
        None => set(None, value),
        Some(&Label { name, values }) => {
            for &other in values {
                let is_it = label == Some((name, other));
                set(Some((name, other)), if is_it { value } else { 0.0 });
            }
        }
    }
}

/// Resets the gauges of the figures that a limiter does not have any more, a bit for each.
pub(super) fn take_back(recorder: &dyn Recorder, limiter: &Arc<str>, gone: u32) {
    for (metric, state) in states().filter(|&(_, state)| gone & bit(state) != 0) {
        set(recorder, metric, limiter, state, None);
    }
}

fn states() -> impl Iterator<Item = (&'static Metric, State)> {
    exported().filter_map(|metric| match metric.figure {
        Figure::State(state) => Some((metric, state)),
        _ => None,
    })
}

fn bit(state: State) -> u32 {
    1 << state as u32
}
