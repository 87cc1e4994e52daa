//! Who holds permits of one limiter, and whether they may.
//!
//! # What is checked
//!
//! A call enters the ledger when it has its permit, and leaves it before it gives the permit back. So
//! who is in the ledger holds a permit for certain. (The other way round is not so, and need not be.)
//!
//! Of all holders in one scope, one was granted its permit last, at a moment that we call *t*. All of
//! them held theirs at *t*, so the limit in force at *t* allowed all of them. We do not see *t*. But
//! we know two moments around each holder's grant: the library had not granted it yet when the last
//! poll began that gave `Pending` (or if there was none, when the first poll began), and had by the
//! time it was entered here. So *t* is not before the latest of the first moments, and not after now.
//! The cap is the largest limit that can have been in force between those two.
//!
//! When limits change, a limit can be in force from the moment when the change to it begins until the
//! next change has returned. Changes are made one at a time (see `subject`), so each has a number, and
//! a moment is the number of the last change that had returned by then.
//!
//! With a rate (`per`) a permit is out until its window is over, too. Its start is not before its last
//! poll began, so what is counted is out for certain, again.
//!
//! Where the limit is not in force (`enabled(false)`, a shadow), calls may take no permits. Who may
//! have been let in at such a time is not counted.

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
    /// With keys, of each.
    pub(crate) limit: u32,
    /// With keys, over all of them.
    pub(crate) total: Option<u32>,
    pub(crate) enforced: bool,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    name: String,
    per: Option<Duration>,
    /// How many changes have returned.
    returned: AtomicUsize,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    /// By the number of the change; 0 is how the limiter was made.
    caps: Vec<Cap>,
    scopes: HashMap<u64, Vec<Holder>>,
    waiting: HashMap<u64, Waiting>,
    /// Tells holders and waiters apart.
    number: u64,
}

#[derive(Debug)]
struct Holder {
    number: u64,
    key: Option<Key>,
    weight: u32,
    /// The changes that had returned before it can have been granted its permit.
    since: usize,
    /// It has not started before.
    began: Instant,
    inside: bool,
}

#[derive(Debug)]
struct Waiting {
    request: Request,
    scope: Scope,
    since: Instant,
}

/// A holder's entry.
#[derive(Debug)]
pub(crate) struct Ticket {
    scope: u64,
    number: u64,
}

/// What is known of a call that has just been let in.
#[derive(Debug)]
pub(crate) struct Entering {
    pub(crate) request: Request,
    pub(crate) scope: Scope,
    pub(crate) since: usize,
    pub(crate) began: Instant,
}

impl Ledger {
    pub(crate) fn new(name: String, per: Option<Duration>, made: Cap) -> Self {
        let books = Books { caps: vec![made], ..Books::default() };
        Self { name, per, returned: AtomicUsize::new(0), books: Mutex::new(books) }
    }

    /// The number of the last change that has returned.
    pub(crate) fn moment(&self) -> usize {
        self.returned.load(SeqCst)
    }

    /// A change begins, after which this is in force.
    pub(crate) fn change_begins(&self, cap: Cap) {
        self.books().caps.push(cap);
    }

    /// The change has returned.
    pub(crate) fn change_returned(&self) {
        self.returned.fetch_add(1, SeqCst);
    }

    /// A call has got its permit. `None` if it cannot be held against the limit.
    pub(crate) fn enter(&self, call: &Entering) -> Option<Ticket> {
        let (Some(scope), weight) = (call.scope.number(), call.request.permits()) else {
            return None;
        };
        if weight == 0 {
            return None;
        }
        let now = Instant::now();
        let mut books = self.books();
        if books.caps[call.since..].iter().any(|cap| !cap.enforced) {
            return None;
        }
        books.number += 1;
        let number = books.number;
        let (key, per) = (call.request.key.clone(), self.per);
        let holder = Holder {
            number,
            key: key.clone(),
            weight,
            since: call.since,
            began: call.began,
            inside: true,
        };
        let holders = books.scopes.entry(scope).or_default();
        holders.retain(|holder| holder.is_out(per, now));
        holders.push(holder);

        let Books { caps, scopes, .. } = &*books;
        let (holders, mut over) = (&scopes[&scope], String::new());
        let of_key = holders.iter().filter(|holder| holder.key == key);
        check("the limit", caps, of_key, |cap| cap.limit, &mut over);
        check("the total", caps, holders.iter(), |cap| cap.total.unwrap_or(u32::MAX), &mut over);
        drop(books);
        if !over.is_empty() {
            fault(Fault::OverTheCap, &format!("{}, scope {scope}: {over}", self.name));
        }
        Some(Ticket { scope, number })
    }

    /// A holder is about to give its permit back.
    pub(crate) fn leave(&self, ticket: &Ticket) {
        let mut books = self.books();
        let Some(holders) = books.scopes.get_mut(&ticket.scope) else { return };
        let Some(place) = holders.iter().position(|holder| holder.number == ticket.number) else {
            return;
        };
        if self.per.is_some() {
            holders[place].inside = false;
        } else {
            holders.swap_remove(place);
        }
    }

    /// A call waits. Its number is for [`waits_no_longer`](Self::waits_no_longer).
    pub(crate) fn waits(&self, request: &Request, scope: Scope) -> u64 {
        let mut books = self.books();
        books.number += 1;
        let (number, since) = (books.number, Instant::now());
        books.waiting.insert(number, Waiting { request: request.clone(), scope, since });
        number
    }

    pub(crate) fn waits_no_longer(&self, number: u64) {
        self.books().waiting.remove(&number);
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Holder {
    /// Whether its permit is out for certain.
    fn is_out(&self, per: Option<Duration>, now: Instant) -> bool {
        self.inside || per.is_some_and(|per| self.began + per > now)
    }
}

/// Says in `over` whether these holders are more than can ever have been allowed together.
fn check<'a>(
    which: &str,
    caps: &[Cap],
    holders: impl Iterator<Item = &'a Holder> + Clone,
    of: impl Fn(&Cap) -> u32,
    over: &mut String,
) {
    let since = holders.clone().map(|holder| holder.since).max().unwrap_or(0);
    let cap = caps[since..].iter().map(of).max().unwrap_or(u32::MAX);
    let out: u64 = holders.clone().map(|holder| u64::from(holder.weight)).sum();
    if out > u64::from(cap) {
        let holders: Vec<_> = holders.collect();
        let _ = write!(over, "{out} permits out, {which} was at most {cap}; {holders:?} ");
    }
}

/// Who holds permits and who waits, for a report.
impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Of each list so many are shown.
        const SHOWN: usize = 12;

        let books = self.books();
        let cap = books.caps.last();
        writeln!(f, "  {}", self.name)?;
        writeln!(f, "    in force: {cap:?}, after {} changes", self.moment())?;
        for (scope, holders) in &books.scopes {
            let inside = holders.iter().filter(|holder| holder.inside);
            for Holder { number, key, weight, began, .. } in inside.take(SHOWN) {
                let age = began.elapsed();
                writeln!(
                    f,
                    "    scope {scope}: holder {number}, {key:?}, weight {weight}, for {age:?}"
                )?;
            }
        }
        for (number, Waiting { request, scope, since }) in books.waiting.iter().take(SHOWN) {
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

    /// How many faults are found when calls enter, one after the other, and stay.
    fn faults(ledger: &Ledger, since: usize, calls: impl IntoIterator<Item = Request>) -> u64 {
        let before = Fault::OverTheCap.count();
        for request in calls {
            enter(ledger, request, since);
        }
        Fault::OverTheCap.count() - before
    }

    // One test, because faults are counted for the whole process.
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
