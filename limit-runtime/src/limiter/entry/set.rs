//! What changes a limiter's settings while it is in use.

use super::{Control, Entry, Found, InUse, Limit, clamp};
use crate::limiter::settings::{Overrides, Setting, Settings, Source, Unsupported, Values};
use crate::policy::{Force, MaxWait, Policy};
use crate::semaphore::WakeList;
use crate::unwind;
use std::panic::{Location, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the code says of a limiter, apart from its limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    pub(crate) policy: Policy,
    pub(crate) max_wait: Option<MaxWait>,
    pub(crate) enabled: bool,
    /// Whether its calls can be told that they are refused.
    pub(crate) fallible: bool,
    /// Where the function stands after which it is named, if it is.
    pub(crate) function: Option<&'static Location<'static>>,
    /// Whether its name is the user's, who can give it another.
    pub(crate) is_named: bool,
}

/// How long calls wait that do not say it themselves, if that is not as the code has it. Read by calls
/// that are about to wait, written under the lock of [`Control`]. Relaxed: it stands for itself.
#[derive(Debug)]
pub(super) struct MaxWaitSet(AtomicU64);

const NOT_SET: u64 = u64::MAX;

impl MaxWaitSet {
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(NOT_SET))
    }

    pub(super) fn get(&self) -> Option<Duration> {
        match self.0.load(Ordering::Relaxed) {
            NOT_SET => None,
            nanoseconds => Some(Duration::from_nanos(nanoseconds)),
        }
    }

    fn set(&self, max_wait: Option<Duration>) {
        let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).ok();
        // 584 years are as good as what is longer.
        let value = max_wait.map_or(NOT_SET, |set| nanoseconds(set).unwrap_or(NOT_SET - 1));
        self.0.store(value, Ordering::Relaxed);
    }
}

impl Overrides {
    /// What is in force of a limiter that was made with that policy.
    pub(super) fn policy(&self, made: &Policy) -> Policy {
        let set = |setting: fn(&Values) -> Option<bool>| self.get(setting).map(|(set, _)| set);
        let force = if set(|set| set.enabled) == Some(false) {
            Force::Off
        } else {
            match set(|set| set.shadow) {
                Some(true) => Force::Shadow,
                Some(false) => Force::Full,
                None => made.force,
            }
        };
        Policy {
            max_waiting: self.get(|set| set.max_waiting).map_or(made.max_waiting, |(set, _)| set),
            force,
            ..*made
        }
    }
}

impl Entry {
    /// Changes something while running.
    pub(crate) fn set(&self, set: impl FnOnce(&mut Values)) {
        self.override_with(Source::Live, set);
    }

    /// As [`set`](Self::set), of what not every limiter has.
    pub(in crate::limiter) fn try_set(&self, set: impl Fn(&mut Values)) -> Result<(), Unsupported> {
        let mut values = Values::default();
        set(&mut values);
        self.supports(&values)?;
        self.set(set);
        Ok(())
    }

    /// Whether all these can be set for this limiter.
    pub(crate) fn supports(&self, values: &Values) -> Result<(), Unsupported> {
        let unsupported =
            |setting, reason| Err(Unsupported { limiter: self.name.clone(), setting, reason });
        let cannot_refuse = "its calls cannot be told that they are refused; give the attribute \
                             `max_waiting` or `max_wait`, or make the limiter with one of them";
        let is_shadow = self.made.policy.force == Force::Shadow;
        // A shadow only counts whom it would have refused.
        if !self.made.fallible && !is_shadow && values.max_waiting.is_some() {
            return unsupported("max_waiting", cannot_refuse);
        }
        if is_shadow && values.max_wait.is_some() {
            return unsupported("max_wait", "it was made a shadow, so that nobody waits");
        }
        if !self.made.fallible && values.max_wait.is_some() {
            return unsupported("max_wait", cannot_refuse);
        }
        if is_shadow && values.shadow == Some(false) {
            return unsupported(
                "shadow",
                "it was made a shadow, so that its calls cannot be told that they are refused; take \
                 the `shadow` out of the code",
            );
        }
        Ok(())
    }

    /// What a configuration says, unless a later one has said something.
    #[cfg(feature = "config")]
    pub(crate) fn configure(&self, version: u64, values: Values) {
        let Some(mut control) = self.control_in_use() else { return };
        if version > control.configuration {
            control.configuration = version;
            self.override_under(control, Source::File, |file| *file = values);
        }
    }

    /// Changes what a source has set, and what follows from that.
    pub(crate) fn override_with(&self, source: Source, set: impl FnOnce(&mut Values)) {
        if let Some(control) = self.control_in_use() {
            self.override_under(control, source, set);
        }
    }

    fn override_under(
        &self,
        mut control: InUse<'_>,
        source: Source,
        set: impl FnOnce(&mut Values),
    ) {
        let before = control.overrides;
        if let Some(values) = control.overrides.of_mut(source) {
            set(values);
        }
        let after = control.overrides;
        self.max_wait.set(after.get(|set| set.max_wait).map(|(max_wait, _)| max_wait));
        let (was, is) = (self.effective_limit(&before), self.effective_limit(&after));
        let last = control.found.last();
        if was.or(last) != is.or(last) {
            control.changes[source as usize] += 1;
        }
        let limit_changes = was != is;
        // One that is found out is not found out again: each scope has its own.
        let found =
            if limit_changes && is.is_none() { control.found.clone() } else { Found::default() };
        let find_out = limit_changes && is.is_none() && last.is_none() && control.bound.is_some();
        let policy = after.policy(&self.made.policy);
        let policy = (policy != before.policy(&self.made.policy)).then_some(policy);
        self.change(control, |semaphore| {
            let mut wakers = WakeList::default();
            if let (Some(limit), true) = (is.or_else(|| found.of(semaphore)), limit_changes) {
                wakers.append(semaphore.set_limit(limit));
            }
            if let Some(policy) = policy {
                wakers.append(semaphore.set_policy(&policy));
            }
            wakers
        });
        if find_out {
            self.find_out_late();
        }
    }

    /// Scopes that were bound to a limit which was set, and had not to find one out, are to have that of
    /// the code. It is a user's expression: evaluated under no lock, and we may be on a thread that is
    /// not the user's.
    fn find_out_late(&self) {
        let Limit::Lazy(limit) = self.limit else { return };
        let limit = match catch_unwind(|| self.find_out(limit)) {
            Ok(limit) => limit,
            Err(panic) => {
                let what = "the limit could not be found out: the expression for it panicked; it \
                            stays as it was set before";
                self.note(true, what.to_owned());
                return unwind::end(panic);
            }
        };
        let limit = clamp(limit);
        let Some(mut control) = self.control_in_use() else { return };
        // Whoever was first to find it out has been quicker.
        if control.found.last().is_some() {
            return;
        }
        control.found.put_last(limit);
        if self.effective_limit(&control.overrides).is_none() {
            let is_zero_news = control.is_zero_news(limit);
            self.change(control, |semaphore| semaphore.set_limit(limit));
            if is_zero_news {
                self.note_zero();
            }
        }
    }

    #[cfg(feature = "config")]
    pub(crate) fn current_settings(&self) -> Settings {
        let limit = self.some_limit();
        self.settings(&self.control(), limit)
    }

    pub(super) fn settings(&self, control: &Control, limit: usize) -> Settings {
        let overrides = &control.overrides;
        let bound = |bound: u32| (bound < u32::MAX).then_some(bound as usize);
        let max_wait = match self.made.max_wait {
            Some(MaxWait::For(max_wait)) => Some(max_wait),
            _ => None,
        };
        let policy = &self.made.policy;
        let set_max_waiting = overrides.get(|set| set.max_waiting);
        let set_max_wait = overrides.get(|set| set.max_wait);
        let source = overrides.get(|set| set.limit).map(|(_, source)| (limit, source));
        Settings {
            limit: Setting::new(limit, source),
            max_waiting: Setting::new(
                bound(policy.max_waiting),
                set_max_waiting.map(|(most, source)| (bound(most), source)),
            ),
            max_wait: Setting::new(
                max_wait,
                set_max_wait.map(|(wait, source)| (Some(wait), source)),
            ),
            enabled: Setting::new(
                self.made.enabled,
                // `true` leaves it to the calls, and those of this limiter say no.
                overrides.get(|set| set.enabled).filter(|(set, _)| !*set || self.made.enabled),
            ),
            shadow: Setting::new(policy.force == Force::Shadow, overrides.get(|set| set.shadow)),
        }
    }
}
