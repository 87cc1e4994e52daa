//! The keys of the figures in a recorder.

use crate::labels::{ExtraLabel, KEY, LIMITER, RUNTIME};
use crate::metric::Metric;
use crate::series::Runtime;
use ::metrics::{Key, Label, Level, Metadata, SharedString};
use std::sync::Arc;

/// The origin of all figures.
pub(super) const METADATA: Metadata<'static> =
    Metadata::new("limit_exporters::metrics", Level::INFO, Some("limit_exporters::metrics"));

/// Returns the key of a ledger's figure.
pub(super) fn ledger_key(
    metric: &'static Metric,
    limiter: &Arc<str>,
    key: Option<&str>,
    more: Option<ExtraLabel>,
) -> Key {
    let limiter = SharedString::from_shared(Arc::clone(limiter));
    let mut labels = vec![Label::new(LIMITER.name, limiter)];
    labels.extend(key.map(|key| Label::new(KEY.name, key.to_owned())));
    labels.extend(more.map(|(label, value)| Label::from_static_parts(label, value)));
    Key::from_parts(metric.name, labels)
}

/// Returns the key of a limiter's figure.
pub(super) fn key(
    metric: &'static Metric,
    limiter: &Arc<str>,
    runtime: Option<Runtime>,
    more: Option<ExtraLabel>,
) -> Key {
    let limiter = SharedString::from_shared(Arc::clone(limiter));
    let mut labels = vec![Label::new(LIMITER.name, limiter)];
    labels.extend(runtime.map(|runtime| Label::new(RUNTIME, runtime.to_string())));
    labels.extend(more.map(|(label, value)| Label::from_static_parts(label, value)));
    Key::from_parts(metric.name, labels)
}
