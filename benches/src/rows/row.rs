//! The figures of one line of the table.

use limit_benches::measure::Series;
use limit_benches::median;
use limit_benches::processors::Processors;
use serde::{Deserialize, Serialize};

use super::bars::Against;
use crate::subjects::{BARE, PEERS};

/// One line of the table.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) processors: Processors,
    pub(crate) what: String,
    pub(crate) cells: Vec<Cell>,
}

/// One contender's figures in one row.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Cell {
    pub(crate) subject: String,
    /// The nanoseconds of one call in each round. It is empty where the row does not measure time.
    pub(crate) nanos: Vec<f64>,
    /// The same of the base that the row is held against: another contender, or a smaller setting.
    pub(crate) base_nanos: Vec<f64>,
    pub(crate) bytes: Option<f64>,
    /// The allocations of one call.
    pub(crate) allocations: Option<f64>,
    /// A note in words.
    pub(crate) note: Option<String>,
}

/// One figure of one contender in a row.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) value: f64,
    /// The best peer, if the figure is a ratio to it.
    pub(crate) peer: Option<String>,
}

impl Row {
    pub(crate) fn new(name: &str, what: impl Into<String>, cells: Vec<Cell>) -> Self {
        Self { name: name.to_owned(), processors: Processors::All, what: what.into(), cells }
    }

    pub(crate) fn cell(&self, subject: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.subject == subject)
    }

    /// Returns the peer whose calls take the least time in this row.
    fn best_peer(&self) -> Option<&Cell> {
        let peers = PEERS.into_iter().filter_map(|name| self.cell(name));
        let timed = peers.filter(|cell| !cell.nanos.is_empty());
        timed.min_by(|one, other| median(one.nanos.clone()).total_cmp(&median(other.nanos.clone())))
    }

    pub(crate) fn figure(&self, against: Against, subject: &str) -> Option<Figure> {
        let cell = self.cell(subject)?;
        if against == Against::BestPeer {
            let peer = self.best_peer()?;
            let value = ratio(&cell.nanos, &peer.nanos)?;
            return Some(Figure { value, peer: Some(peer.subject.clone()) });
        }
        let value = match against {
            Against::Bare => ratio(&cell.nanos, &self.cell(BARE)?.nanos),
            Against::BestPeer
            | Against::Tokio
            | Against::ByHand
            | Against::Fixed
            | Against::Smaller => cell.ratio(),
            Against::Bytes => cell.bytes,
            Against::Nanoseconds => cell.nanoseconds(),
            Against::Allocations => cell.allocations,
        };
        value.map(|value| Figure { value, peer: None })
    }
}

impl Cell {
    /// Makes the cell of a contender whose time is held against that of another, or of itself in a smaller setting.
    pub(crate) fn timed(one: &Series, base: &Series) -> Self {
        Self { nanos: one.nanos.clone(), base_nanos: base.nanos.clone(), ..Self::untimed(one.name) }
    }

    pub(crate) fn untimed(subject: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            nanos: Vec::new(),
            base_nanos: Vec::new(),
            bytes: None,
            allocations: None,
            note: None,
        }
    }

    /// Returns the median of the ratios of the rounds.
    pub(crate) fn ratio(&self) -> Option<f64> {
        ratio(&self.nanos, &self.base_nanos)
    }

    /// Returns the median of the nanoseconds of one call.
    pub(crate) fn nanoseconds(&self) -> Option<f64> {
        (!self.nanos.is_empty()).then(|| median(self.nanos.clone()))
    }
}

fn ratio(nanos: &[f64], base: &[f64]) -> Option<f64> {
    let ratios: Vec<f64> = nanos.iter().zip(base).map(|(own, base)| own / base).collect();
    (!ratios.is_empty()).then(|| median(ratios))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(subject: &str, nanos: &[f64]) -> Cell {
        Cell { nanos: nanos.to_vec(), ..Cell::untimed(subject) }
    }

    #[test]
    fn the_best_peer_is_the_one_with_the_least_time_and_sentinel_is_none() {
        let cells = vec![
            cell("acquire", &[30.0, 33.0, 36.0]),
            cell("tokio", &[60.0, 60.0, 60.0]),
            cell("mea", &[40.0, 10.0, 40.0]),
            cell("async-lock", &[30.0, 30.0, 30.0]),
            cell("sentinel", &[1.0, 1.0, 1.0]),
        ];
        let row = Row::new("task", "", cells);
        let figure = row.figure(Against::BestPeer, "acquire").expect("it is measured");
        assert_eq!(figure.peer.as_deref(), Some("async-lock"));
        assert!((figure.value - 1.1).abs() < 1e-9);
        assert!(row.figure(Against::BestPeer, "attribute").is_none());
    }
}
