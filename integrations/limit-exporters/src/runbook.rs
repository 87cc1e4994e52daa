//! The runbook: the meaning of each alert of `assets/alerts.yml`, and the steps to take.
//!
//! Each section says when the alert fires, why its thresholds are as they are, and where to look. The thresholds are
//! a start: set them to what is normal for your limits. The label `limiter` has the name of the limiter. An alert of
//! a limiter with keys judges the key that is worst off, or the limit over all keys. No metric has a key's name, but
//! the page of limit-console has it.
//!
//! # `ConcurrencyLimitStalled`
//!
//! Critical. For two minutes (`concurrency_limit_stalled_seconds`) calls have waited, and none was admitted. A minute
//! later the alert fires. All calls that hold permits of the limiter hang.
//!
//! * *Two minutes*: calls of a limiter that goes on end sooner. If yours hold their permits for longer, raise it.
//! * The time begins with the first reading that sees calls wait, or sees that one was admitted.
//! * A limiter that is paused or closed has [an alert of its own](#concurrencylimitpausedorclosed), and one whose
//!   backend asked for a pause goes on by itself. A limiter with a window (`per`) counts from the end of the window
//!   on, because its permits come back late.
//! * If the calls of one key hang and those of others go on, the limiter is not stalled.
//!   [A long wait](#concurrencylimitwaithigh) shows it. With figures by runtime, each runtime is judged by itself.
//!
//! With the feature `diagnostics`, the page and the log have the places of the calls that hold the permits. Without
//! it, look for a step without a time limit in these calls: a request, a lock, a channel that nobody reads. To let
//! others in at once, raise the limit.
//!
//! # `ConcurrencyLimitSaturated`
//!
//! Warning. At all times of five minutes all permits were out, and calls waited. With keys, these are the permits of
//! the worst key or of all keys together.
//!
//! * *Five minutes*: a burst is over sooner.
//! * A limiter that is full while no call waits is as large as it has to be.
//!
//! Compare the admitted calls a second with those of the day before. If they are as many, or fewer, the calls hold
//! their permits for longer: look at what they call. If they are more, raise the limit, if what is behind it can
//! take that.
//!
//! # `ConcurrencyLimitRejecting`
//!
//! Warning. For five minutes more than one call in twenty was refused. Refusals by a closed limiter do not count.
//!
//! * *5 %*: callers can repeat a few calls, but not many.
//! * The alert is not critical, because a limiter that refuses calls does its job: it protects what is behind it. Make it
//!   critical for limiters whose callers cannot do without an answer.
//!
//! The label `result` of `concurrency_limit_acquisitions_total` has the reason:
//!
//! | result | |
//! |---|---|
//! | `no_permits`, `queue_full`, `evicted` | More calls come than the limit admits. |
//! | `timed_out` | Calls wait for longer than `max_wait`. |
//! | `would_time_out` | Calls would wait for longer than `max_wait`, and are refused at once (`early`). |
//! | `too_heavy` | A call wants more permits than the limit. |
//! | `unavailable` | The [fleet](#concurrencylimitfleetcutoff) cannot be reached. |
//! | `deadlock` | Calls wait for [each other](#concurrencylimitdeadlock). |
//!
//! # `ConcurrencyLimitWaitHigh`
//!
//! Warning. For five minutes one in a hundred of the calls that were admitted after waiting had waited for more than a
//! second, or the oldest call that waits has waited for more than half a minute.
//!
//! * *1.1 s*: just above a bound of the histogram (1.07 s). Between two bounds the value is an estimate.
//! * *30 s*: most clients have given up by then. This part counts even if no call is admitted. A wait is known from
//!   the first scrape that saw the call.
//!
//! With keys one noisy key may be the reason: the page shows the keys with the most waiters.
//!
//! # `ConcurrencyLimitHolderStuck`
//!
//! Warning. A call has held its permits for more than five minutes. The alert needs the feature `diagnostics` and
//! `limit_runtime::diagnostics::record(true)`.
//!
//! * *300 s*: a request takes less. Raise it for limiters of long jobs.
//!
//! The page and the log have the place of the call. Its permits come back when its future is dropped: give the call
//! a time limit.
//!
//! # `ConcurrencyLimitPausedOrClosed`
//!
//! Warning. For ten minutes the limit has been 0, so that every call waits, or the limiter has been closed, so that
//! every call is refused.
//!
//! * *Ten minutes*: a pause by hand and the end of a program take less.
//! * The limit of a limiter that no call has used may not be known yet, and is shown as 0. So only limiters with calls
//!   count.
//! * A limiter whose backend asked for a pause (`concurrency_limit_adaptive_held_off`) does not count: it goes on by
//!   itself.
//!
//! `concurrency_limit_limit_changes_total` has the source of the change: a file, the environment, or the program, to
//! which the page belongs. The log of limit-console has the author.
//!
//! # `ConcurrencyLimitDeadlock`
//!
//! Critical. For a minute calls have waited for permits that come back only when these calls go on. The alert needs the
//! feature `diagnostics` and `limit_runtime::diagnostics::record(true)`.
//!
//! * *A minute*: a call with a `max_wait` gives up before, and the deadlock is over.
//!
//! The log and the page show each call and who holds what it waits for. Raise the limit, cancel one of the calls or
//! restart the process. Then take the limits in one order everywhere.
//!
//! # `ConcurrencyLimitGrantsTakenBack`
//!
//! Warning. For ten minutes more than three grants were taken back in each five minutes. Calls were handed permits, and
//! their futures were not polled within `claim_within`.
//!
//! * *Three in five minutes, for ten minutes*: a single pause of the process takes several back at once, and then none.
//!
//! With the feature `diagnostics` the log names the places of these calls. Look for a task that is blocked, or that
//! has forgotten a future.
//!
//! # `ConcurrencyLimitFleetCutOff`
//!
//! Critical. For a minute the process has had no lease, and its renewals failed or were refused. Its calls fare as
//! `on_unavailable` says.
//!
//! * *A minute*: a store that fails over is back sooner.
//!
//! With `result="failed"` the store cannot be reached. With `result="refused"` the processes of the fleet have
//! different leases: compare their settings.
//!
//! # `ConcurrencyLimitFleetDisagrees`
//!
//! Warning. For ten minutes this process has wanted a larger limit than is in force, because another process wants
//! less.
//!
//! * *Ten minutes*: a rollout takes less.
//!
//! Compare `concurrency_limit_fleet_permit_limit_here` of all processes.
