//! The figures of a limit over a fleet, as its ledgers last said.

use crate::duration_text::duration_text;
use std::fmt;
use std::time::Duration;

/// The figures of a limit over a fleet, as this process knows them ([`Scope::Fleet`](crate::Scope::Fleet)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct FleetFigures {
    /// The ledgers: one for the limiter, or with keys, one for each key, and one for the total over
    /// all keys if there is one.
    pub ledgers: Vec<LedgerFigures>,
}

/// The figures of a ledger, the account of one limit over the fleet, as this process knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LedgerFigures {
    /// The key. `None` for the limiter as a whole.
    pub key: Option<String>,
    /// The limit in force over the fleet: the smallest that a process wants.
    pub limit: usize,
    /// The limit that this process wants.
    pub limit_here: usize,
    /// The calls that run in all processes, as far as the ledger knows.
    pub in_use: usize,
    /// The permits that this process may use.
    pub share: usize,
    /// The permits that the ledger would give this process if they were free.
    pub target: usize,
    /// The permits that this process can use: the calls that run and those that wait.
    pub want: usize,
    /// The processes that the ledger knows.
    pub nodes: usize,
    /// The processes that wait for permits.
    pub queued: usize,
    /// `true` if the ledger gives out no permits because it may have forgotten some.
    pub learning: bool,
    /// The time until the lease of this process ends. `None` without a lease.
    pub lease_left: Option<Duration>,
    /// The renewals of this process, by result.
    pub renewals: RenewalCounts,
    /// The time that the store took for its last answer.
    pub store_time: Duration,
    /// The processes that hold, use or want permits, as far as they are known.
    pub members: Vec<Member>,
}

/// Counts of the renewals of a lease, by result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct RenewalCounts {
    /// Renewals that the ledger has granted.
    pub granted: u64,
    /// Renewals that the ledger has refused.
    pub refused: u64,
    /// Renewals without an answer.
    pub failed: u64,
}

/// A process of the fleet, as a ledger knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Member {
    /// The id of the process in the fleet.
    pub node: String,
    /// `true` if it is this process.
    pub here: bool,
    /// The permits that it may use.
    pub share: usize,
    /// The calls that it runs.
    pub running: usize,
    /// The permits that it can use.
    pub want: usize,
}

/// Writes one line: the ledger of the limiter, or of the total over all keys, and the number of keys
/// that have one.
///
/// ```text
/// fleet 37/100 in use, share 5, want 7, 8 nodes, lease 4.2s
/// fleet, 3 keys
/// ```
impl fmt::Display for FleetFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fleet")?;
        if let Some(whole) = self.ledgers.iter().find(|ledger| ledger.key.is_none()) {
            write!(f, " {whole}")?;
        }
        match self.ledgers.iter().filter(|ledger| ledger.key.is_some()).count() {
            0 => Ok(()),
            1 => f.write_str(", 1 key"),
            keys => write!(f, ", {keys} keys"),
        }
    }
}

impl fmt::Display for LedgerFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, in_use, share, want, nodes, lease_left, learning, .. } = self;
        let s = if *nodes == 1 { "" } else { "s" };
        write!(f, "{in_use}/{limit} in use, share {share}, want {want}, {nodes} node{s}, ")?;
        match lease_left {
            Some(left) => write!(f, "lease {}", duration_text(*left))?,
            None => f.write_str("no lease")?,
        }
        if *learning { f.write_str(", learning") } else { Ok(()) }
    }
}
