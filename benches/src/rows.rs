//! The rows of the table, one small file for each kind.

pub(crate) mod allocations;
pub(crate) mod bars;
pub(crate) mod bytes;
pub(crate) mod cost;
pub(crate) mod crowd;
pub(crate) mod find;
pub(crate) mod free;
pub(crate) mod keyed;
pub(crate) mod million;
pub(crate) mod opening;
pub(crate) mod policies;
pub(crate) mod refused;
mod row;
mod selection;
pub(crate) mod shared;
pub(crate) mod shutdown;
mod tasks;

use tokio::runtime::{Builder, Runtime};

use crate::subjects::{BARE, PEER, PEERS};
use limit_benches::measure::{Contestant, Series, compare};

pub(crate) use row::{Cell, Figure, Row};
pub(crate) use selection::Selection;

/// A row of one kind, before it is measured.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// `true` if several tasks call at once, so that the number of processors counts.
    pub(crate) many_tasks: bool,
    /// `true` if the limiters and runtimes of other rows would change its figures, or its own those of others.
    pub(crate) own_process: bool,
    pub(crate) measure: fn(&Selection, &'static str) -> Row,
}

impl Kind {
    const fn one_task(name: &'static str, measure: fn(&Selection, &'static str) -> Row) -> Self {
        Self { name, many_tasks: false, own_process: false, measure }
    }

    const fn many_tasks(name: &'static str, measure: fn(&Selection, &'static str) -> Row) -> Self {
        Self { name, many_tasks: true, own_process: false, measure }
    }

    const fn own_process(name: &'static str, measure: fn(&Selection, &'static str) -> Row) -> Self {
        Self { name, many_tasks: false, own_process: true, measure }
    }
}

/// Makes a runtime with so many workers.
pub(crate) fn workers(count: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(count).build().expect("a runtime with workers")
}

/// Makes a runtime with two workers.
pub(crate) fn two_workers() -> Runtime {
    workers(2)
}

/// Makes a runtime that runs on the thread that calls `block_on`.
pub(crate) fn this_thread() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime on this thread")
}

/// Measures the selected contestants, and those that a bar needs, against the peer.
fn against_peer(
    selection: &Selection,
    name: &str,
    what: &str,
    mut contestants: Vec<Contestant<'_>>,
) -> Row {
    eprintln!("{name}: {what}");
    let needs = |against| bars::bars(name).iter().any(|bar| bar.against == against);
    // The best of some peers is not the best peer.
    let (all_peers, bare) = (needs(bars::Against::BestPeer), needs(bars::Against::Bare));
    contestants.retain(|one| {
        let is_peer = one.name == PEER || all_peers && PEERS.contains(&one.name);
        let needed = is_peer || bare && one.name == BARE;
        needed || selection.subject(one.name)
    });
    row_against_peer(name, what, &compare(selection.plan, &mut contestants))
}

fn row_against_peer(name: &str, what: &str, series: &[Series]) -> Row {
    let peer = series.iter().find(|one| one.name == PEER).expect("the peer always runs");
    Row::new(name, what, series.iter().map(|one| Cell::timed(one, peer)).collect())
}
