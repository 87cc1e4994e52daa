//! The holders of one limiter's permits, and the check that they are not too many.
//!
//! # What is checked
//!
//! A call enters the ledger when it has its permit, and leaves it before it gives the permit back.
//! So each call in the ledger certainly holds a permit. (A call outside may hold one too, which
//! does no harm.)
//!
//! Consider all holders in one scope at the moment *t* when the last of them was granted its
//! permit. All of them held permits at *t*, so the limit in force at *t* allowed all of them. The
//! ledger does not see *t*, but it knows two moments around each grant. The library had not granted
//! the permit when the last poll began that returned `Pending`, or, without one, when the first
//! poll began. It had granted the permit when the call entered the ledger. So *t* lies between the
//! latest of the first moments and now. The cap is the largest limit that can have been in force in
//! between.
//!
//! A limit can be in force from the moment when the change to it begins until the next change has
//! returned. Changes are made one at a time (see `subject`), so each has a number. A moment is the
//! number of the last change that had returned by then.
//!
//! With a rate (`per`) a permit also stays out until its window is over. The call started no
//! earlier than its last poll began, so its window ends no earlier than the ledger assumes.
//!
//! Calls may take no permits where the limit is not in force (`enabled(false)`, a shadow). The
//! ledger does not count a call that may have been admitted at such a time.

use crate::request::{Key, Request, Scope};
use crate::score::{Fault, fault};
use std::collections::HashMap;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The limits in force after a change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cap {
    /// With keys, the limit of each key.
    pub(crate) limit: u32,
    /// With keys, the limit over all of them.
    pub(crate) total: Option<u32>,
    pub(crate) enforced: bool,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    name: String,
    per: Option<Duration>,
    /// The number of changes that have returned.
    returned: AtomicUsize,
    records: Mutex<Records>,
}

#[derive(Debug, Default)]
struct Records {
    /// The limits after each change, by its number. Number 0 is the limiter as it was made.
    caps: Vec<Cap>,
    scopes: HashMap<u64, Vec<Holder>>,
    waiting: HashMap<u64, Waiting>,
    /// The number of the last holder or waiter.
    number: u64,
}

#[derive(Debug)]
struct Holder {
    number: u64,
    key: Option<Key>,
    weight: u32,
    /// The number of changes that had returned before the call can have been granted its permit.
    since: usize,
    /// The earliest time at which the call can have started.
    began: Instant,
    inside: bool,
}

#[derive(Debug)]
struct Waiting {
    request: Request,
    scope: Scope,
    since: Instant,
}

/// The entry of a holder in the ledger.
#[derive(Debug)]
pub(crate) struct Ticket {
    scope: u64,
    number: u64,
}

/// The facts of a call that has just been admitted.
#[derive(Debug)]
pub(crate) struct Entering {
    pub(crate) request: Request,
    pub(crate) scope: Scope,
    pub(crate) since: usize,
    pub(crate) began: Instant,
}

impl Ledger {
    pub(crate) fn new(name: String, per: Option<Duration>, made: Cap) -> Self {
        let records = Records { caps: vec![made], ..Records::default() };
        Self { name, per, returned: AtomicUsize::new(0), records: Mutex::new(records) }
    }

    /// Returns the number of the last change that has returned.
    pub(crate) fn moment(&self) -> usize {
        self.returned.load(SeqCst)
    }

    /// Notes that a change begins after which these limits are in force.
    pub(crate) fn change_begins(&self, cap: Cap) {
        self.records().caps.push(cap);
    }

    /// Notes that the change has returned.
    pub(crate) fn change_returned(&self) {
        self.returned.fetch_add(1, SeqCst);
    }

    /// Notes that a call has its permit, and checks the cap. Returns `None` if the call cannot be
    /// counted.
    pub(crate) fn enter(&self, call: &Entering) -> Option<Ticket> {
        let (Some(scope), weight) = (call.scope.number(), call.request.permits()) else {
            return None;
        };
        if weight == 0 {
            return None;
        }
        let now = Instant::now();
        let mut records = self.records();
        if records.caps[call.since..].iter().any(|cap| !cap.enforced) {
            return None;
        }
        records.number += 1;
        let number = records.number;
        let (key, per) = (call.request.key.clone(), self.per);
        let holder = Holder {
            number,
            key: key.clone(),
            weight,
            since: call.since,
            began: call.began,
            inside: true,
        };
        let holders = records.scopes.entry(scope).or_default();
        holders.retain(|holder| holder.is_out(per, now));
        holders.push(holder);

        let Records { caps, scopes, .. } = &*records;
        let (holders, mut over) = (&scopes[&scope], String::new());
        let of_key = holders.iter().filter(|holder| holder.key == key);
        check("the limit", caps, of_key, |cap| cap.limit, &mut over);
        check("the total", caps, holders.iter(), |cap| cap.total.unwrap_or(u32::MAX), &mut over);
        drop(records);
        if !over.is_empty() {
            fault(Fault::OverTheCap, &format!("{}, scope {scope}: {over}", self.name));
        }
        Some(Ticket { scope, number })
    }

    /// Notes that a holder is about to give its permit back.
    pub(crate) fn leave(&self, ticket: &Ticket) {
        let mut records = self.records();
        let Some(holders) = records.scopes.get_mut(&ticket.scope) else { return };
        let Some(index) = holders.iter().position(|holder| holder.number == ticket.number) else {
            return;
        };
        if self.per.is_some() {
            holders[index].inside = false;
        } else {
            holders.swap_remove(index);
        }
    }

    /// Notes that a call waits. Returns its number for [`waits_no_longer`](Self::waits_no_longer).
    pub(crate) fn waits(&self, request: &Request, scope: Scope) -> u64 {
        let mut records = self.records();
        records.number += 1;
        let (number, since) = (records.number, Instant::now());
        records.waiting.insert(number, Waiting { request: request.clone(), scope, since });
        number
    }

    pub(crate) fn waits_no_longer(&self, number: u64) {
        self.records().waiting.remove(&number);
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Holder {
    /// Returns `true` if the permit is certainly out.
    fn is_out(&self, per: Option<Duration>, now: Instant) -> bool {
        self.inside || per.is_some_and(|per| self.began + per > now)
    }
}

/// Writes into `over` if these holders are more than any limit in force can have allowed together.
fn check<'a>(
    which: &str,
    caps: &[Cap],
    holders: impl Iterator<Item = &'a Holder> + Clone,
    bound: impl Fn(&Cap) -> u32,
    over: &mut String,
) {
    let since = holders.clone().map(|holder| holder.since).max().unwrap_or(0);
    let cap = caps[since..].iter().map(bound).max().unwrap_or(u32::MAX);
    let out: u64 = holders.clone().map(|holder| u64::from(holder.weight)).sum();
    if out > u64::from(cap) {
        let holders: Vec<_> = holders.collect();
        let _ = write!(over, "{out} permits out, {which} was at most {cap}; {holders:?} ");
    }
}

/// Lists holders and waiters, for a report.
impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// The number of entries shown of each list.
        const SHOWN: usize = 12;

        let records = self.records();
        let cap = records.caps.last();
        writeln!(f, "  {}", self.name)?;
        writeln!(f, "    in force: {cap:?}, after {} changes", self.moment())?;
        for (scope, holders) in &records.scopes {
            let inside = holders.iter().filter(|holder| holder.inside);
            for Holder { number, key, weight, began, .. } in inside.take(SHOWN) {
                let age = began.elapsed();
                writeln!(
                    f,
                    "    scope {scope}: holder {number}, {key:?}, weight {weight}, for {age:?}"
                )?;
            }
        }
        for (number, Waiting { request, scope, since }) in records.waiting.iter().take(SHOWN) {
            writeln!(f, "    {scope:?}: waiter {number}, {request:?}, for {:?}", since.elapsed())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Cap, Entering, Ledger, Ticket};
    use crate::request::{Key, Request, Scope};
    use crate::score::Fault;
    use std::time::{Duration, Instant};

    const LONG: Duration = Duration::from_secs(60);

    fn cap(limit: u32, total: Option<u32>) -> Cap {
        Cap { limit, total, enforced: true }
    }

    fn ledger(per: Option<Duration>, made: Cap) -> Ledger {
        Ledger::new("of a test".to_owned(), per, made)
    }

    fn enter(ledger: &Ledger, request: Request, since: usize) -> Option<Ticket> {
        let (scope, began) = (Scope::Runtime(1), Instant::now());
        ledger.enter(&Entering { request, scope, since, began })
    }

    fn key(number: u32) -> Request {
        Request { key: Some(Key(number)), ..Request::default() }
    }

    /// Returns the number of faults that are found when calls enter one after the other and stay.
    fn faults(ledger: &Ledger, since: usize, calls: impl IntoIterator<Item = Request>) -> u64 {
        let before = Fault::OverTheCap.count();
        for request in calls {
            enter(ledger, request, since);
        }
        Fault::OverTheCap.count() - before
    }

    // This is one test, because faults are counted for the whole process.
    #[test]
    fn more_than_the_cap_are_found_and_no_others() {
        let one = Request::default;

        let plain = ledger(None, cap(2, None));
        assert_eq!(faults(&plain, 0, [one(), one()]), 0);
        assert_eq!(faults(&plain, 0, [one()]), 1, "a third");

        let left = ledger(None, cap(1, None));
        left.leave(&enter(&left, one(), 0).expect("it counts"));
        assert_eq!(faults(&left, 0, [one()]), 0, "one after the other");

        let lowered = ledger(None, cap(3, None));
        assert_eq!(faults(&lowered, 0, [one(), one(), one()]), 0);
        lowered.change_begins(cap(1, None));
        assert_eq!(faults(&lowered, 0, [one()]), 1, "not even under the higher limit");
        lowered.change_returned();

        let changed = ledger(None, cap(2, None));
        changed.change_begins(cap(1, None));
        changed.change_returned();
        assert_eq!(faults(&changed, 0, [one(), one()]), 0, "both may have come before");
        assert_eq!(faults(&changed, 1, [one()]), 1, "this one came after the change");

        let total = ledger(None, cap(1, Some(2)));
        assert_eq!(faults(&total, 0, [key(0), key(1)]), 0);
        assert_eq!(faults(&total, 0, [key(2)]), 1, "over the total");
        let keyed = ledger(None, cap(1, None));
        assert_eq!(faults(&keyed, 0, [key(7), key(8), key(7)]), 1, "two of one key");

        let rate = ledger(Some(LONG), cap(1, None));
        rate.leave(&enter(&rate, one(), 0).expect("it counts"));
        assert_eq!(faults(&rate, 0, [one()]), 1, "a second start in the window");

        let heavy = || Request { weight: Some(2), ..one() };
        let weighed = ledger(None, cap(3, None));
        assert_eq!(faults(&weighed, 0, [heavy(), heavy()]), 1, "four permits");

        let off = ledger(None, cap(1, None));
        off.change_begins(Cap { enforced: false, ..cap(1, None) });
        assert_eq!(faults(&off, 0, [one(), one()]), 0, "the limit may not be in force");
    }
}
