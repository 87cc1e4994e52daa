//! The scenarios: backends, loads, and how they change.

use fastrand::Rng;

/// How much work a call is, in seconds of one server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    Constant(f64),
    Exponential(f64),
    /// Log-normal with this mean and this deviation of the logarithm.
    HeavyTailed(f64, f64),
    /// The short work, the long work, and the share of long calls.
    TwoKinds(f64, f64, f64),
}

impl Work {
    pub(crate) fn mean(self) -> f64 {
        match self {
            Self::Constant(mean) | Self::Exponential(mean) | Self::HeavyTailed(mean, _) => mean,
            Self::TwoKinds(short, long, share) => short + share * (long - short),
        }
    }

    pub(crate) fn draw(self, random: &mut Rng) -> f64 {
        match self {
            Self::Constant(work) => work,
            Self::Exponential(mean) => exponential(mean, random),
            Self::HeavyTailed(mean, deviation) => {
                // Two uniform numbers make a normal one: G. Box and M. Muller, 1958.
                let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
                let normal = radius * (std::f64::consts::TAU * random.f64()).cos();
                mean * (deviation * normal - deviation * deviation / 2.0).exp()
            }
            Self::TwoKinds(short, long, share) => {
                let mean = if random.f64() < share { long } else { short };
                exponential(mean, random)
            }
        }
    }
}

pub(crate) fn exponential(mean: f64, random: &mut Rng) -> f64 {
    -mean * (1.0 - random.f64()).ln()
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Load {
    /// A call always waits.
    Backlog,
    /// Calls a second to each limiter, at random. Some of them may wait; others are refused.
    Random(f64),
}

/// How things are from a moment on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phase {
    pub(crate) from: f64,
    pub(crate) servers: u32,
    /// Work that a server does in a second.
    pub(crate) speed: f64,
    pub(crate) work: Work,
    pub(crate) load: Load,
}

#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) range: (u32, u32),
    /// When each limiter's load begins.
    pub(crate) limiters: Vec<f64>,
    pub(crate) phases: Vec<Phase>,
    /// A way to the backend, which takes so long for each call, 20 % more or less.
    pub(crate) network: f64,
    /// Each call over the servers in the backend slows all work down by this share of itself, divided
    /// by the servers.
    pub(crate) collapse: f64,
    /// The backend refuses calls while so many times its servers are there.
    pub(crate) refuses_over: Option<u32>,
    /// The second from which calls count.
    pub(crate) warm_up: f64,
    pub(crate) end: f64,
    /// The changes after which it counts how soon the limit is near the ideal again.
    pub(crate) settles_after: Option<f64>,
}

impl Scenario {
    pub(crate) fn steady(
        name: &'static str,
        about: &'static str,
        servers: u32,
        work: Work,
    ) -> Self {
        let phase = Phase { from: 0.0, servers, speed: 1.0, work, load: Load::Backlog };
        Self {
            name,
            about,
            range: (1, 200),
            limiters: vec![0.0],
            phases: vec![phase],
            network: 0.0,
            collapse: 0.0,
            refuses_over: None,
            warm_up: 30.0,
            end: 150.0,
            settles_after: None,
        }
    }

    /// Changes something from a moment on.
    pub(crate) fn then(mut self, from: f64, change: impl FnOnce(&mut Phase)) -> Self {
        let mut phase = self.phases[self.phases.len() - 1];
        phase.from = from;
        change(&mut phase);
        self.phases.push(phase);
        self
    }

    pub(crate) fn falls_to(name: &'static str, about: &'static str, servers: u32) -> Self {
        let mut scenario = Self::steady(name, about, 40, Work::Exponential(0.1))
            .then(60.0, |phase| phase.servers = servers)
            .then(150.0, |phase| phase.servers = 40);
        scenario.end = 210.0;
        scenario.settles_after = Some(60.0);
        scenario
    }

    pub(crate) fn phase(&self, now: f64) -> &Phase {
        let later = self.phases.iter().rev().find(|phase| phase.from <= now);
        later.unwrap_or(&self.phases[0])
    }

    /// Returns the knee of a phase for all limiters together: the fewest calls that keep all servers busy.
    pub(crate) fn knee(&self, phase: &Phase) -> f64 {
        f64::from(phase.servers) * (1.0 + self.network * phase.speed / phase.work.mean())
    }

    /// Returns the best limit of each of the limiters, from when on.
    pub(crate) fn ideal(&self) -> Vec<(f64, u32)> {
        let mut starts: Vec<f64> = self.phases.iter().map(|phase| phase.from).collect();
        starts.extend(&self.limiters);
        starts.sort_by(f64::total_cmp);
        starts.dedup();
        let share = |from: f64| {
            let limiters = self.limiters.iter().filter(|start| **start <= from).count();
            // While the backend pauses, what was best before is best still.
            let working =
                self.phases.iter().rev().find(|phase| phase.from <= from && phase.speed > 0.0);
            let knee = working.map_or(1.0, |phase| self.knee(phase));
            crate::number::whole((knee / crate::number::count(limiters.max(1))).round())
                .clamp(1, self.range.1)
        };
        starts.into_iter().map(|from| (from, share(from))).collect()
    }
}
