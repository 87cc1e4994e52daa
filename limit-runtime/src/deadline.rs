//! The deadline of a waiting call, and its timer.

mod timer;

use self::timer::Timer;
use crate::policy::MaxWait;
use crate::tokio_context::panic_outside;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// The longest wait of a call that can be refused.
#[derive(Debug, Default)]
pub struct Deadline {
    max_wait: Option<MaxWait>,
    /// `true` if the call has set it, `false` if it is the limiter's.
    set_by_call: bool,
    /// The timer, which the call has since it began to wait. Another follows if the call goes on in another runtime,
    /// because the first has ended.
    timer: Option<Timer>,
}

impl Deadline {
    #[inline]
    pub(crate) fn from_limiter(max_wait: Option<MaxWait>) -> Self {
        Self { max_wait, set_by_call: false, timer: None }
    }

    pub(crate) fn from_call(max_wait: MaxWait) -> Self {
        Self { max_wait: Some(max_wait), set_by_call: true, timer: None }
    }

    /// Starts the wait. If the call has set no time itself, a setting that was changed meanwhile
    /// holds from here on.
    #[inline]
    pub(crate) fn begin(&mut self, set: Option<Duration>) {
        if let (Some(max_wait), false) = (set, self.set_by_call) {
            self.max_wait = Some(MaxWait::For(max_wait));
        }
    }

    /// Does the same for a call that has not known its limiter before. `of_code` is what the limiter's code sets.
    pub(crate) fn begin_at(&mut self, of_code: Option<MaxWait>, set: Option<Duration>) {
        if !self.set_by_call {
            self.max_wait = of_code;
        }
        self.begin(set);
    }

    pub(crate) fn max_wait(&self) -> Option<MaxWait> {
        self.max_wait
    }

    /// Returns whether the call cannot wait at all.
    #[inline]
    pub(crate) fn leaves_no_time(&self) -> bool {
        self.max_wait.is_some_and(MaxWait::is_over)
    }

    /// The moment from which on a call that waits since then may wait no longer, if there is one.
    pub(crate) fn moment(&self, since: Instant) -> Option<Instant> {
        self.max_wait.and_then(|max_wait| max_wait.deadline(since))
    }

    /// Returns whether the time of a call that has waited since then, and asks again, is up.
    pub(crate) fn is_over(&self, since: Instant) -> bool {
        self.moment(since).is_some_and(|moment| moment <= Instant::now())
    }

    /// Gives the timer up, because the call does not wait any more.
    #[inline]
    pub(crate) fn end(&mut self) {
        self.timer = None;
    }

    /// Becomes ready when a call of `limiter` that has waited since `since` may wait no longer.
    ///
    /// # Panics
    ///
    /// Outside a runtime, and in one without a timer.
    pub(crate) fn poll(
        &mut self,
        limiter: &str,
        since: Instant,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        let Some(deadline) = self.moment(since) else { return Poll::Pending };
        if self.timer.as_ref().is_none_or(|timer| !timer.is_of_this_runtime()) {
            let timer = Timer::new(deadline).unwrap_or_else(|| panic_outside("max_wait", limiter));
            self.timer = Some(timer);
        }
        self.timer.as_mut().map_or(Poll::Pending, |timer| timer.poll(deadline, context))
    }
}
