//! The figures of our columns beside the bars that they are held to.

use std::fmt::Write as _;

use super::contents::{Report, Spread};
use crate::rows::bars::{Against, Bar, bars};
use crate::rows::{Figure, Row};
use crate::subjects::OURS;

/// One of our columns beside one bar of a row.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) subject: &'static str,
    pub(super) spread: Spread,
    /// The best peer, in the run in the middle.
    pub(super) peer: Option<String>,
    /// `None` if there is nothing to meet.
    pub(super) met: Option<bool>,
}

/// One bar of a row, with our columns that have a figure for it.
#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    pub(super) row: &'a Row,
    pub(super) bar: Bar,
    pub(super) verdicts: Vec<Verdict>,
}

/// Returns all bars of all rows, in the order of the table.
pub(super) fn lines(report: &Report) -> Vec<Line<'_>> {
    let of_row = |row: &'_ Row| -> Vec<Bar> { bars(&row.name).to_vec() };
    let pairs =
        report.rows().iter().flat_map(|row| of_row(row).into_iter().map(move |bar| (row, bar)));
    pairs
        .map(|(row, bar)| {
            let verdicts =
                OURS.into_iter().filter_map(|subject| verdict(report, row, bar, subject));
            Line { row, bar, verdicts: verdicts.collect() }
        })
        .collect()
}

fn verdict(report: &Report, row: &Row, bar: Bar, subject: &'static str) -> Option<Verdict> {
    let figures: Vec<Figure> =
        report.of_runs(row).filter_map(|row| row.figure(bar.against, subject)).collect();
    let spread = Spread::new(figures.iter().map(|figure| figure.value).collect())?;
    let middle = spread.middle();
    let distance = |figure: &&Figure| (figure.value - middle).abs();
    let nearest = figures.iter().min_by(|one, other| distance(one).total_cmp(&distance(other)))?;
    Some(Verdict { subject, met: bar.met(middle), peer: nearest.peer.clone(), spread })
}

impl Line<'_> {
    /// Returns the row and the bar in words.
    pub(super) fn text(&self) -> String {
        format!("{} ({}): {}", self.row.name, self.row.processors.text(), self.bar.text())
    }

    pub(super) fn verdict(&self, subject: &str) -> Option<&Verdict> {
        self.verdicts.iter().find(|verdict| verdict.subject == subject)
    }
}

impl Verdict {
    /// Returns the figure in the middle, the spread if there are several runs, the best peer, and whether the bar is met.
    pub(super) fn text(&self, against: Against, runs: usize) -> String {
        let digits = match against {
            Against::Bytes | Against::Nanoseconds => 1,
            Against::Allocations => 2,
            Against::Tokio
            | Against::BestPeer
            | Against::ByHand
            | Against::Fixed
            | Against::Bare
            | Against::Smaller => 3,
        };
        let mut text = format!("{:.digits$}", self.spread.middle());
        if runs > 1 {
            let [lowest, highest] = [self.spread.lowest(), self.spread.highest()];
            let _ = write!(text, " ({lowest:.digits$} to {highest:.digits$})");
        }
        if let Some(peer) = &self.peer {
            let _ = write!(text, " {peer}");
        }
        match self.met {
            Some(true) => text + " ok",
            Some(false) => text + " MISS",
            None => text,
        }
    }
}
