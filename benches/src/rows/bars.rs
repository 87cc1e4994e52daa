//! The bars: what each row is held against, and the highest figure that our columns may show.

use serde::Serialize;

/// The base of a figure: what it is divided by, or the unit that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Against {
    /// The hand-written semaphore of tokio.
    Tokio,
    /// The fastest of the peers in the same run.
    BestPeer,
    /// The hand-written form of the same policy.
    ByHand,
    /// The same limiter with a limit that stays.
    Fixed,
    /// The floor: the least that such a limit can do.
    Bare,
    /// The same contender in a smaller setting.
    Smaller,
    /// Bytes, without a ratio.
    Bytes,
    /// Nanoseconds of one call, without a ratio.
    Nanoseconds,
    /// Allocations of one call, without a ratio.
    Allocations,
}

/// One thing that a row says of a contender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bar {
    pub(crate) against: Against,
    /// The highest figure that meets it. `None` for a figure that only informs.
    pub(crate) at_most: Option<f64>,
}

impl Bar {
    /// Returns the bar in words: `0.30 x tokio`.
    pub(crate) fn text(self) -> String {
        let (unit, digits) = match self.against {
            Against::Tokio => ("x tokio", 2),
            Against::BestPeer => ("x best peer", 2),
            Against::ByHand => ("x by hand", 2),
            Against::Fixed => ("x fixed", 2),
            Against::Bare => ("x bare", 2),
            Against::Smaller => ("x smaller", 2),
            Against::Bytes => ("bytes", 0),
            Against::Nanoseconds => ("ns", 0),
            Against::Allocations => ("allocations", 0),
        };
        match self.at_most {
            Some(at_most) => format!("{at_most:.digits$} {unit}"),
            None => format!("- {unit}"),
        }
    }

    /// Returns `true` if the figure is within the bar, and `None` if there is no bar.
    pub(crate) fn met(self, figure: f64) -> Option<bool> {
        self.at_most.map(|at_most| figure <= at_most)
    }
}

const fn at_most(most: f64, against: Against) -> Bar {
    Bar { against, at_most: Some(most) }
}

const fn shown(against: Against) -> Bar {
    Bar { against, at_most: None }
}

const fn against_peers(tokio: Option<f64>, best_peer: Option<f64>) -> [Bar; 3] {
    [
        Bar { against: Against::Tokio, at_most: tokio },
        Bar { against: Against::BestPeer, at_most: best_peer },
        shown(Against::Bare),
    ]
}

const TASK: &[Bar] = &against_peers(Some(0.30), Some(1.0));
const CONTENDED: &[Bar] = &against_peers(Some(0.15), Some(1.0));
const QUEUED: &[Bar] = &against_peers(Some(0.85), Some(1.0));
const SPAWNED: &[Bar] = &against_peers(Some(0.90), None);
const BEST_PEER: &[Bar] = &against_peers(None, Some(1.0));
const BY_HAND: &[Bar] = &[at_most(1.0, Against::ByHand), shown(Against::Bare)];
const AT_ONCE: &[Bar] = &[at_most(1.0, Against::ByHand)];
/// Of the peers, mea has weights too.
const WEIGHTED_AT_ONCE: &[Bar] = &[at_most(1.0, Against::ByHand), shown(Against::BestPeer)];
const WEIGHTED: &[Bar] =
    &[at_most(1.0, Against::ByHand), shown(Against::BestPeer), shown(Against::Bare)];
const REFUSED: &[Bar] = &[
    at_most(60.0, Against::Nanoseconds),
    at_most(0.0, Against::Allocations),
    shown(Against::ByHand),
];
const MILLION: &[Bar] = &[at_most(2.0, Against::Smaller)];
const SMALLER: &[Bar] = &[shown(Against::Smaller)];

const TABLE: &[(&str, &[Bar])] = &[
    ("task", TASK),
    ("block_on", BEST_PEER),
    ("block_on-multi", BEST_PEER),
    ("contended", CONTENDED),
    ("contended-4", CONTENDED),
    ("contended-8", CONTENDED),
    ("queued", QUEUED),
    ("queued-4", QUEUED),
    ("queued-8", QUEUED),
    ("spawned", SPAWNED),
    ("shutdown", &[shown(Against::Tokio)]),
    ("crowd", &[at_most(1.05, Against::Smaller)]),
    ("crowd-cycle", SMALLER),
    ("million-serve", MILLION),
    ("million-cancel", MILLION),
    ("million-cancel-random", SMALLER),
    ("memory", &[at_most(48.0, Against::Bytes)]),
    ("keyed-1", BY_HAND),
    ("keyed-1000", BY_HAND),
    ("keyed-million", BY_HAND),
    ("keyed-contended", BY_HAND),
    ("key-weights", &[shown(Against::Fixed)]),
    ("key-weights-queued", &[shown(Against::Fixed)]),
    ("key-limits", &[shown(Against::Fixed)]),
    ("weighted", WEIGHTED_AT_ONCE),
    ("weighted-queued", WEIGHTED),
    ("resize", AT_ONCE),
    ("deadline", AT_ONCE),
    ("deadline-queued", BY_HAND),
    ("refused", REFUSED),
    (
        "refused-burst",
        &[shown(Against::Nanoseconds), shown(Against::Allocations), shown(Against::ByHand)],
    ),
    ("lifo-queued", BY_HAND),
    ("priority-queued", BY_HAND),
    ("by-deadline-queued", &[shown(Against::Fixed)]),
    ("early-queued", &[shown(Against::Fixed)]),
    ("adaptive", &[at_most(1.0, Against::Fixed)]),
    ("adaptive-queued", &[at_most(1.03, Against::Fixed)]),
    ("both", &[shown(Against::ByHand)]),
    ("both-queued", &[shown(Against::ByHand)]),
    ("ramp", &[shown(Against::Fixed)]),
    ("shares", &[shown(Against::Fixed)]),
    ("shares-queued", &[shown(Against::Fixed)]),
    ("find", &[shown(Against::ByHand)]),
    ("opening", SMALLER),
];

/// Returns the bars of a row. The first of them names the row's own base.
pub(crate) fn bars(row: &str) -> &'static [Bar] {
    let found = TABLE.iter().find(|(name, _)| *name == row);
    found.unwrap_or_else(|| panic!("the row {row} has no line in the table of bars")).1
}
