//! All limiters, and all names with counters.

use super::lock;
use crate::engine::Engine;
use crate::metrics::Totals;
use std::sync::Arc;

/// The names that no limiter has any more, with their counters.
pub(crate) type Dropped = Vec<(Arc<str>, Arc<Totals>)>;

/// Returns all limiters, and the names that no limiter has, the newest first. Both are read at one
/// moment, so that each name occurs once.
pub(crate) fn all_and_dropped() -> (Vec<Arc<Engine>>, Dropped) {
    let catalog = lock();
    let (engines, dropped) = (catalog.engines.clone(), catalog.dropped.all());
    drop(catalog);
    (engines.into_iter().flatten().collect(), dropped)
}
