//! Figures by the kind of refusal.

use limit_runtime::RejectedKind;
use serde::{Serialize, Serializer};
use std::iter::zip;

const KINDS: usize = RejectedKind::ALL.len();

/// One figure for each kind of refusal. In JSON it is an object with a field for each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ByKind<T>([T; KINDS]);

impl<T> ByKind<T> {
    /// Asks for the figure of each kind.
    pub(crate) fn from_fn(figure: impl Fn(RejectedKind) -> T) -> Self {
        Self(std::array::from_fn(|index| figure(RejectedKind::ALL[index])))
    }
}

impl<T: Copy> ByKind<Vec<T>> {
    /// Appends the figure of each kind to the kind's list.
    pub(crate) fn push(&mut self, figures: &ByKind<T>) {
        for (list, figure) in zip(&mut self.0, &figures.0) {
            list.push(*figure);
        }
    }
}

impl<T: Serialize> Serialize for ByKind<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = RejectedKind::ALL.iter().map(|kind| kind.as_str());
        serializer.collect_map(zip(names, &self.0))
    }
}
