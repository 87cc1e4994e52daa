//! A deadlock, as users see it.

use super::super::calls::Call;
use crate::duration_text::duration_text;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Calls that wait for each other: each waits for permits that come back only when another of them goes on. See
/// [`deadlocks`](super::deadlocks()).
///
/// Shown with `{}`, it is the text of the warning: a line for each call, and who holds what it waits for.
///
/// # Examples
///
/// ```
/// for deadlock in limit_runtime::diagnostics::deadlocks() {
///     eprintln!("{deadlock}");
///     for stuck in deadlock.calls() {
///         assert!(!stuck.holders().is_empty() || stuck.behind().is_some());
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Deadlock {
    pub(super) calls: Vec<StuckCall>,
    pub(super) victims: usize,
    pub(super) is_reentry: bool,
}

/// One of the calls of a [`Deadlock`].
#[derive(Clone, Debug)]
pub struct StuckCall {
    pub(super) call: Call,
    pub(super) key: Option<String>,
    /// Calls that wait for the same share the list.
    pub(super) holders: Arc<[Call]>,
    pub(super) behind: Option<Call>,
}

impl Deadlock {
    /// Returns the calls that wait, so that each waits for the next and the last for the first. If there is no such
    /// order, because a call waits for several, they are all there in another order.
    #[must_use]
    pub fn calls(&self) -> &[StuckCall] {
        &self.calls
    }

    /// Returns the number of calls that wait for this deadlock, and for which none of its calls waits. They hold
    /// nothing that matters here.
    #[must_use]
    pub fn victims(&self) -> usize {
        self.victims
    }

    /// Returns how long all these calls have been waiting, at the moment at which the list was made.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.calls.iter().map(|stuck| stuck.call.age()).min().unwrap_or_default()
    }

    /// Returns whether it is one call that waits for permits of its own task: a function that is limited and calls
    /// itself, or calls another one with the same limiter.
    #[must_use]
    pub fn is_reentry(&self) -> bool {
        self.is_reentry
    }
}

impl StuckCall {
    /// Returns the call that waits. Its [`limiter`](Call::limiter) is the one that it waits for.
    #[must_use]
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// Returns the key that it waits for, if the limiter has keys and the key is a text or a number.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Returns the calls that hold the permits that it waits for. Each of them is around another call of the
    /// deadlock.
    #[must_use]
    pub fn holders(&self) -> &[Call] {
        &self.holders
    }

    /// Returns the call before it in the queue, if that one wants more permits than can come back. Then this one
    /// waits for that one.
    #[must_use]
    pub fn behind(&self) -> Option<&Call> {
        self.behind.as_ref()
    }
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_reentry, self.calls.len()) {
            (true, _) => f.write_str("a call waits for permits that its own task holds:")?,
            (false, 1) => f.write_str("a call waits for itself:")?,
            (false, count) => write!(f, "{count} calls wait for each other:")?,
        }
        for stuck in self.calls.iter().take(LINES) {
            write!(f, "\n  {stuck}")?;
        }
        match self.calls.len().saturating_sub(LINES) {
            0 => {}
            more => write!(f, "\n  and {more} more of them")?,
        }
        match self.victims {
            0 => Ok(()),
            1 => f.write_str("\n  one more call waits for these"),
            count => write!(f, "\n  {count} more calls wait for these"),
        }
    }
}

/// The most calls that the text shows: it is one event of the log.
const LINES: usize = 32;

/// The most holders that a line shows.
const SHOWN: usize = 8;

impl fmt::Display for StuckCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "waits at `{}`", self.call.limiter())?;
        if let Some(key) = &self.key {
            write!(f, " (key {key})")?;
        }
        write!(f, ": {}", self.call)?;
        for (number, holder) in self.holders.iter().take(SHOWN).enumerate() {
            let held = if number == 0 { "; held by" } else { "; and by" };
            write!(f, "{held} {holder}")?;
        }
        match self.holders.len().saturating_sub(SHOWN) {
            0 => {}
            more => write!(f, "; and by {more} more")?,
        }
        if let Some(first) = &self.behind {
            write!(
                f,
                "; behind {first} (for {} permits, waiting for {})",
                first.weight(),
                duration_text(first.age())
            )?;
        }
        Ok(())
    }
}
