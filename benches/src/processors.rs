//! The processors that threads may run on.

/// The processors that the threads of a measurement may run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Processors {
    /// All that the process was given.
    All,
    /// One of them.
    One,
}

impl Processors {
    /// Returns the word for it in tables.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::One => "one",
        }
    }

    /// Runs the closure on these processors, with all threads that it starts. Returns `None`, and does not run it, where
    /// threads cannot be pinned to one.
    pub fn run<R>(self, run: impl FnOnce() -> R) -> Option<R> {
        let _pinned = match self {
            Self::All => None,
            Self::One => Some(Pinned::to_one()?),
        };
        Some(run())
    }
}

/// Keeps the thread that made it on one processor until it is dropped. The threads that it starts meanwhile stay there.
#[cfg(target_os = "linux")]
struct Pinned {
    before: rustix::thread::CpuSet,
}

#[cfg(target_os = "linux")]
impl Pinned {
    fn to_one() -> Option<Self> {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

        let before = sched_getaffinity(None).ok()?;
        // The last one, because devices prefer to interrupt the first.
        let last = (0..CpuSet::MAX_CPU).rev().find(|processor| before.is_set(*processor))?;
        let mut one = CpuSet::new();
        one.set(last);
        sched_setaffinity(None, &one).ok()?;
        Some(Self { before })
    }
}

#[cfg(target_os = "linux")]
impl Drop for Pinned {
    fn drop(&mut self) {
        let restored = rustix::thread::sched_setaffinity(None, &self.before);
        restored.expect("the thread had these processors before");
    }
}

#[cfg(not(target_os = "linux"))]
struct Pinned;

#[cfg(not(target_os = "linux"))]
impl Pinned {
    fn to_one() -> Option<Self> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::thread::{available_parallelism, spawn};

    #[test]
    fn threads_that_a_pinned_thread_starts_are_pinned_and_later_ones_are_not() {
        let of_new_thread =
            || spawn(|| available_parallelism().expect("a number").get()).join().expect("no panic");
        let before = of_new_thread();
        assert_eq!(Processors::One.run(of_new_thread), Some(1));
        assert_eq!(of_new_thread(), before);
    }
}
