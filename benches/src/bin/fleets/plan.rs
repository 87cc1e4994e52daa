//! The plan: the rows, and their lengths.

use std::time::Duration;

use clap::ValueEnum;

use crate::job::Contender;

/// A row, or a table, of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Row {
    /// A limit far above the demand
    Uncontended,
    /// A limit of 20 over 8 processes, saturated
    Contended,
    /// A limit of 3 over 40 processes, at a load of 0.8
    Few,
    /// A limit of 3 over 40 processes, saturated
    FewSaturated,
    /// The nanoseconds of a call that finds a permit free
    Hot,
    /// The time until the permits of a killed process are used again
    Reclaim,
    /// The server's time for one message
    Script,
}

impl Row {
    /// All rows, in the order in which they are measured.
    pub(crate) const ALL: [Self; 7] = [
        Self::Uncontended,
        Self::Contended,
        Self::Few,
        Self::FewSaturated,
        Self::Hot,
        Self::Reclaim,
        Self::Script,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Uncontended => "uncontended",
            Self::Contended => "contended",
            Self::Few => "few",
            Self::FewSaturated => "few-saturated",
            Self::Hot => "hot",
            Self::Reclaim => "reclaim",
            Self::Script => "script",
        }
    }
}

/// The length of a run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The number of times that each contender runs under each load.
    pub(crate) rounds: u32,
    /// The lease of the loads.
    pub(crate) lease: Duration,
    /// The time under load before anything is counted.
    pub(crate) warm_up: Duration,
    /// The time for which a load is counted; the loads whose calls are rare are counted for longer.
    pub(crate) window: Duration,
    pub(crate) long_window: Duration,
    pub(crate) contenders: Vec<Contender>,
    /// The number of rounds of the hot path, each of about 50 ms a contender.
    pub(crate) hot_rounds: u32,
    /// The leases of the processes that are killed, and how many are killed.
    pub(crate) reclaims: Vec<(Duration, u32)>,
    /// The time for which each ledger is sent messages.
    pub(crate) script: Duration,
}

impl Plan {
    pub(crate) fn new(quick: bool, rounds: Option<u32>, only: Vec<Contender>) -> Self {
        let seconds = Duration::from_secs;
        let contenders = if only.is_empty() { Contender::ALL.to_vec() } else { only };
        if quick {
            return Self {
                rounds: rounds.unwrap_or(1),
                lease: seconds(2),
                warm_up: Duration::from_millis(300),
                window: Duration::from_millis(400),
                long_window: Duration::from_millis(400),
                contenders,
                hot_rounds: 3,
                reclaims: vec![(seconds(2), 1)],
                script: Duration::from_millis(300),
            };
        }
        Self {
            rounds: rounds.unwrap_or(3),
            lease: seconds(6),
            warm_up: seconds(3),
            window: seconds(8),
            long_window: seconds(20),
            contenders,
            hot_rounds: 21,
            reclaims: vec![(seconds(2), 5), (seconds(6), 5)],
            script: seconds(8),
        }
    }
}
