//! Algorithms that choose a limit. Each is written from its source's behaviour, with its source's
//! defaults; only the range of limits is the scenario's.

mod aimd;
mod bbr;
mod envoy;
mod failsafe;
mod fixed;
mod gradient2;
mod ours;
mod tower_resilience;
mod vector;
mod vegas;

use crate::contender::Contender;

pub(crate) use fixed::Fixed;
pub(crate) use ours::{Ablation, Favor, Ours};

/// The contenders of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Algorithm {
    Ours,
    Failsafe,
    Vector,
    Envoy,
    Gradient2,
    Vegas,
    Bbr,
    Aimd,
    TowerResilience,
}

impl Algorithm {
    pub(crate) const ALL: [Self; 9] = [
        Self::Ours,
        Self::Failsafe,
        Self::Vector,
        Self::Envoy,
        Self::Gradient2,
        Self::Vegas,
        Self::Bbr,
        Self::Aimd,
        Self::TowerResilience,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "limit-runtime",
            Self::Failsafe => "failsafe-go",
            Self::Vector => "Vector ARC",
            Self::Envoy => "Envoy gradient",
            Self::Gradient2 => "Netflix Gradient2",
            Self::Vegas => "Netflix Vegas",
            Self::Bbr => "BBR (go-zero, kratos)",
            Self::Aimd => "Netflix AIMD",
            Self::TowerResilience => "tower-resilience Vegas",
        }
    }

    /// Makes one of `limiter` many, whose random choices follow from `seed`.
    pub(crate) fn make(self, range: (u32, u32), seed: u64, limiter: usize) -> Box<dyn Contender> {
        let (low, high) = range;
        match self {
            Self::Ours => Box::new(Ours::new(range, None, seed, limiter)),
            Self::Failsafe => Box::new(failsafe::Failsafe::new(low, high)),
            Self::Vector => Box::new(vector::Arc::new(low, high)),
            Self::Envoy => Box::new(envoy::Gradient::new(low, high, seed ^ limiter as u64)),
            Self::Gradient2 => Box::new(gradient2::Gradient2::new(low, high)),
            Self::Vegas => Box::new(vegas::Vegas::new(low, high, seed ^ limiter as u64)),
            Self::Bbr => Box::new(bbr::Bbr::new(low, high)),
            Self::Aimd => Box::new(aimd::Aimd::new(low, high)),
            Self::TowerResilience => Box::new(tower_resilience::Vegas::new(low, high)),
        }
    }
}
