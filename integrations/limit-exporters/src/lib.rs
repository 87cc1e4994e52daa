//! Figures of all limiters for Prometheus, OpenTelemetry and the `metrics` facade.
//!
//! | feature | |
//! |---|---|
//! | `prometheus` | [`prometheus::Collector`], a collector of `prometheus-client` |
//! | `opentelemetry` | [`opentelemetry::observe`], instruments on a `Meter` |
//! | `metrics` | [`metrics::describe`] and [`metrics::collect`], for the recorder of the `metrics` crate |
//! | `diagnostics` | with an exporter: how long permits are held, since when the oldest holder has its own, and deadlocks |
//!
//! The figures for Prometheus, by `prometheus-client`:
//!
//! ```
//! # #[cfg(feature = "prometheus")] {
//! use limit_exporters::prometheus::Collector;
//! use prometheus_client::encoding::text::encode;
//! use prometheus_client::registry::Registry;
//!
//! let mut registry = Registry::default();
//! Collector::new().register(&mut registry)?;
//!
//! // For each scrape, such as `GET /metrics`:
//! let mut text = String::new();
//! encode(&mut text, &registry)?;
//! # assert!(text.ends_with("# EOF\n"));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Exporters show every limiter that has been used. They read the figures when somebody asks for them; calls do
//! nothing more than without an exporter. The figures are those of a [`Snapshot`](limit_runtime::Snapshot): they
//! start with the first use of a limiter, not when an exporter is installed.
//!
//! # Metrics
//!
//! [`METRICS`] is the same table for programs.
//!
//! | metric | with Prometheus | kind | unit | labels | |
//! |---|---|---|---|---|---|
//! | `concurrency_limit.permit.limit` | `concurrency_limit_permit_limit` | gauge | `{permit}` | `limiter` | Number of permits; with keys, for each key |
//! | `concurrency_limit.permit.usage` | `concurrency_limit_permit_usage` | up-down counter | `{permit}` | `limiter` | Permits that are out |
//! | `concurrency_limit.queued_calls` | `concurrency_limit_queued_calls` | up-down counter | `{call}` | `limiter` | Calls that wait for permits |
//! | `concurrency_limit.acquisitions` | `concurrency_limit_acquisitions_total` | counter | `{call}` | `limiter`, `result`: `admitted_at_once`, `admitted_after_waiting`, `cancelled`, `no_permits`, `queue_full`, `timed_out`, `too_heavy`, `closed`, `evicted`, `unavailable`, `deadlock`, `would_time_out` | Calls by result |
//! | `concurrency_limit.wait_time` | `concurrency_limit_wait_time_seconds` | histogram | `s` | `limiter` | How long calls waited that were admitted after waiting |
//! | `concurrency_limit.grants.taken_back` | `concurrency_limit_grants_taken_back_total` | counter | `{grant}` | `limiter` | Grants that were taken back because their waiters had not claimed them in time |
//! | `concurrency_limit.limit.changes` | `concurrency_limit_limit_changes_total` | counter | `{change}` | `limiter`, `source`: `file`, `environment`, `live` | Changes of the limit by who made them |
//! | `concurrency_limit.active_keys` | `concurrency_limit_active_keys` | up-down counter | `{key}` | `limiter` | Keys that have holders or waiters |
//! | `concurrency_limit.full_keys` | `concurrency_limit_full_keys` | gauge | `{key}` | `limiter` | Keys whose permits are all out; not there without keys |
//! | `concurrency_limit.worst_key.permit.usage` | `concurrency_limit_worst_key_permit_usage` | gauge | `{permit}` | `limiter` | Permits that are out of the key with the most waiters, then the largest part of its permits out; not there without keys |
//! | `concurrency_limit.worst_key.permit.limit` | `concurrency_limit_worst_key_permit_limit` | gauge | `{permit}` | `limiter` | Number of permits of that key |
//! | `concurrency_limit.worst_key.queued_calls` | `concurrency_limit_worst_key_queued_calls` | gauge | `{call}` | `limiter` | Calls that wait for that key |
//! | `concurrency_limit.permit.limit_of_all_keys` | `concurrency_limit_permit_limit_of_all_keys` | gauge | `{permit}` | `limiter` | Number of permits of all keys together; not there if there is no such limit |
//! | `concurrency_limit.share.permit.guaranteed` | `concurrency_limit_share_permit_guaranteed` | gauge | `{permit}` | `limiter`, `share` | Permits that are guaranteed to the calls of a share; not there without shares |
//! | `concurrency_limit.share.permit.usage` | `concurrency_limit_share_permit_usage` | up-down counter | `{permit}` | `limiter`, `share` | Permits that calls of a share have |
//! | `concurrency_limit.share.queued_calls` | `concurrency_limit_share_queued_calls` | up-down counter | `{call}` | `limiter`, `share` | Calls of a share that wait for permits |
//! | `concurrency_limit.share.admissions` | `concurrency_limit_share_admissions_total` | counter | `{call}` | `limiter`, `share` | Calls of a share that were admitted |
//! | `concurrency_limit.share.refusals` | `concurrency_limit_share_refusals_total` | counter | `{call}` | `limiter`, `share` | Calls of a share that were refused |
//! | `concurrency_limit.oldest_wait` | `concurrency_limit_oldest_wait_seconds` | gauge | `s` | `limiter` | How long the oldest waiter has waited since the first reading that saw it; 0 if nobody waits |
//! | `concurrency_limit.stalled` | `concurrency_limit_stalled_seconds` | gauge | `s` | `limiter` | How long calls have waited and none was admitted, since the first reading that saw it so; 0 if no call waits, and while the limiter is paused, closed or held off |
//! | `concurrency_limit.enforced` | `concurrency_limit_enforced` | gauge | `1` | `limiter` | 1 while the limit holds, 0 while it is in shadow or off |
//! | `concurrency_limit.max_waiting` | `concurrency_limit_max_waiting` | gauge | `{call}` | `limiter` | The most calls that may wait; not there without a bound |
//! | `concurrency_limit.max_waiting_of_all_keys` | `concurrency_limit_max_waiting_of_all_keys` | gauge | `{call}` | `limiter` | The most calls of all keys together that may wait; not there without a bound |
//! | `concurrency_limit.max_wait` | `concurrency_limit_max_wait_seconds` | gauge | `s` | `limiter` | The longest time that a call may wait; not there without a bound |
//! | `concurrency_limit.closed` | `concurrency_limit_closed` | gauge | `1` | `limiter` | 1 while the limiter is closed, else 0 |
//! | `concurrency_limit.scope` | `concurrency_limit_scope` | gauge | `1` | `limiter`, `scope`: `runtime`, `process`, `fleet` | 1 for the calls that share the permits |
//! | `concurrency_limit.order` | `concurrency_limit_order` | gauge | `1` | `limiter`, `order`: `fifo`, `lifo`, `deadline` | 1 for the order in which waiters are served |
//! | `concurrency_limit.window` | `concurrency_limit_window_seconds` | gauge | `s` | `limiter` | Time from the start of a call until its permit comes back; not there without a rate |
//! | `concurrency_limit.ramp` | `concurrency_limit_ramp_seconds` | gauge | `s` | `limiter` | Time in which the limit rises from one permit after a start; not there without a ramp |
//! | `concurrency_limit.permit.withheld` | `concurrency_limit_permit_withheld` | gauge | `{permit}` | `limiter` | Permits that a ramp does not let in yet, in all runtimes; not there without a ramp |
//! | `concurrency_limit.adaptive.limit.low` | `concurrency_limit_adaptive_limit_low` | gauge | `{permit}` | `limiter` | Lower end of the range in which the limit adapts; not there if it does not |
//! | `concurrency_limit.adaptive.limit.high` | `concurrency_limit_adaptive_limit_high` | gauge | `{permit}` | `limiter` | Upper end of that range |
//! | `concurrency_limit.adaptive.base_time` | `concurrency_limit_adaptive_base_time_seconds` | gauge | `s` | `limiter` | Time of a call at half of the limit, when it waits for no other call behind the limiter; not there before it is known |
//! | `concurrency_limit.adaptive.time` | `concurrency_limit_adaptive_time_seconds` | gauge | `s` | `limiter` | Time of a call at the limit; not there before it is known |
//! | `concurrency_limit.adaptive.queued_calls` | `concurrency_limit_adaptive_queued_calls` | gauge | `{call}` | `limiter` | Running calls that wait for others behind the limiter; not there before it is known |
//! | `concurrency_limit.adaptive.advice` | `concurrency_limit_adaptive_advice` | gauge | `{permit}` | `limiter` | Limit that advice would choose; not there without advice |
//! | `concurrency_limit.adaptive.frozen` | `concurrency_limit_adaptive_frozen` | gauge | `1` | `limiter` | 1 while a limit that adapts is held at a number that somebody set, else 0 |
//! | `concurrency_limit.adaptive.held_off` | `concurrency_limit_adaptive_held_off` | gauge | `1` | `limiter` | 1 while new calls are held off because the backend asked for it, else 0 |
//! | `concurrency_limit.adaptive.changes` | `concurrency_limit_adaptive_changes_total` | counter | `{change}` | `limiter`, `reason`: `grow`, `cut`, `overload`, `question`, `answer` | Changes of a limit that adapts by reason; not there if it never did |
//! | `concurrency_limit.hold_time` | `concurrency_limit_hold_time_seconds` | histogram | `s` | `limiter` | How long permits were held, of a sample of the calls (feature `diagnostics`) |
//! | `concurrency_limit.oldest_holder.start_timestamp` | `concurrency_limit_oldest_holder_start_timestamp_seconds` | gauge | `s` | `limiter` | When the oldest holder got its permits, in seconds since 1970; not there if there is none (feature `diagnostics`) |
//! | `concurrency_limit.deadlocked` | `concurrency_limit_deadlocked` | gauge | `1` | `limiter` | 1 while the limiter is part of a deadlock, else 0 (feature `diagnostics`) |
//! | `concurrency_limit.fleet.permit.limit` | `concurrency_limit_fleet_permit_limit` | gauge | `{permit}` | `limiter`, `key` | Limit in force over the fleet: the smallest that a process wants |
//! | `concurrency_limit.fleet.permit.limit_here` | `concurrency_limit_fleet_permit_limit_here` | gauge | `{permit}` | `limiter`, `key` | Limit over the fleet that this process wants |
//! | `concurrency_limit.fleet.permit.usage` | `concurrency_limit_fleet_permit_usage` | gauge | `{permit}` | `limiter`, `key` | Calls that run in all processes, as far as the ledger knows |
//! | `concurrency_limit.fleet.permit.share` | `concurrency_limit_fleet_permit_share` | up-down counter | `{permit}` | `limiter`, `key` | Permits of the fleet that this process may use |
//! | `concurrency_limit.fleet.permit.want` | `concurrency_limit_fleet_permit_want` | up-down counter | `{permit}` | `limiter`, `key` | Permits of the fleet that this process can use |
//! | `concurrency_limit.fleet.nodes` | `concurrency_limit_fleet_nodes` | gauge | `{process}` | `limiter`, `key` | Processes that the ledger knows |
//! | `concurrency_limit.fleet.queued_nodes` | `concurrency_limit_fleet_queued_nodes` | gauge | `{process}` | `limiter`, `key` | Processes that wait for permits |
//! | `concurrency_limit.fleet.learning` | `concurrency_limit_fleet_learning` | gauge | `1` | `limiter`, `key` | 1 while the ledger gives out no permits because it may have forgotten some |
//! | `concurrency_limit.fleet.lease.remaining` | `concurrency_limit_fleet_lease_remaining_seconds` | gauge | `s` | `limiter`, `key` | Time until the lease of this process ends; 0 without a lease |
//! | `concurrency_limit.fleet.store.time` | `concurrency_limit_fleet_store_time_seconds` | gauge | `s` | `limiter`, `key` | Time that the store took for its last answer |
//! | `concurrency_limit.fleet.renewals` | `concurrency_limit_fleet_renewals_total` | counter | `{renewal}` | `limiter`, `key`, `result`: `granted`, `refused`, `failed` | Renewals of the lease of this process by result |
//!
//! All results, sources and reasons of a limiter are there from the start, at zero. No label has a task or a user as its
//! value, and none has a key but in the figures of a [fleet](#fleets).
//!
//! Hold times, oldest holders and deadlocks are those of recorded calls: from `limit_runtime::diagnostics::record(true)`
//! on. [`diagnostics::deadlocks`](https://docs.rs/limit-runtime/latest/limit_runtime/diagnostics/fn.deadlocks.html) has
//! the calls of a deadlock; they are in the log too.
//! Hold times appear with the first hold that is counted: on each thread the first call of a limiter is, and then
//! one in 64.
//!
//! The limit is that of one scope. If several runtimes use a limiter, each has so many permits, and the usage of all
//! may exceed the limit.
//!
//! # Limits that adapt
//!
//! The metrics `concurrency_limit.adaptive.*` are there for limits that
//! [adapt](limit_runtime::Limiter::adaptive), from the first call on. The limit that was chosen is
//! `concurrency_limit.permit.limit`, or with keys `concurrency_limit.permit.limit_of_all_keys`. If several runtimes
//! adapt, the figures are those of the runtime with the largest limit.
//!
//! Changes by adaptation count in `concurrency_limit.adaptive.changes` and not in `concurrency_limit.limit.changes`.
//! The reasons are those of [`AdaptiveCause`](limit_runtime::AdaptiveCause): a question halves the limit for a moment,
//! and the answer brings it back.
//!
//! # Shares
//!
//! The metrics `concurrency_limit.share.*` are there for limiters with [shares](limit_runtime::Limiter::shares), from the
//! first call on. They are those of all runtimes together; the guarantee is that of one. The share `rest` has the calls
//! without a share.
//!
//! # By runtime
//!
//! If asked for, figures have one more label, `runtime`: the number that a
//! [`RuntimeSnapshot`](limit_runtime::RuntimeSnapshot) has, 0 for the process. It is for programs with a few runtimes that
//! live long, because each runtime adds as many series as there are without the label.
//!
//! When a runtime ends, its series disappear. (A recorder of the `metrics` facade cannot remove series: there they
//! stay as they are.) The value `retired` stands for the counts of runtimes that ended before the first reading
//! or between two readings, and for permits that outlive their runtime. Nothing is counted under two labels:
//! the growth of all series together is that of the limiter.
//!
//! The permits, the waiting calls, the time for which they stand still, the keys in use, the calls by result, the waits, the grants that were taken back and the
//! changes of a limit that adapts have the label. All other figures belong to no runtime.
//!
//! | exporter | |
//! |---|---|
//! | Prometheus | [`Collector::by_runtime`](prometheus::Collector::by_runtime) |
//! | OpenTelemetry | [`observe_by_runtime`](opentelemetry::observe_by_runtime) |
//! | `metrics` facade | [`collect_by_runtime`](metrics::collect_by_runtime) |
//!
//! # Fleets
//!
//! The metrics `concurrency_limit.fleet.*` are there for limiters with
//! [`Scope::Fleet`](limit_runtime::Scope::Fleet), once a fleet was started. They are what this process heard last.
//! Each process shows the limit, the usage and the number of processes of the whole fleet: take the maximum over
//! all processes, not the sum.
//!
//! With keys, each key that is in use has a ledger and a series, with the label `key`. At most 100 ledgers of a
//! limiter are shown: those that began first. The renewals of a ledger start from zero when it begins anew.
//!
//! `concurrency_limit.permit.limit` of such a limiter is the limit that this process wants, and
//! `concurrency_limit.permit.usage` the permits that are out here.
//!
//! # Waits and holds
//!
//! The bounds of the histograms are every second power of two of nanoseconds, from 2¹⁸ (262 µs) to 2³⁴ (17 s).
//! Counts are exact. Sums of waits are exact below some 10,000 waits a second: see [`WaitTimes`](limit_runtime::WaitTimes).
//!
//! Recorders of the `metrics` facade and meters of OpenTelemetry keep histograms themselves. Each reading gives them
//! as many samples as there were waits and holds since the reading before it, with the same sum. The value of a
//! single sample is known to an eighth. The first reading gives them all samples from before.
//!
//! # Limiters that are dropped
//!
//! Counters and histograms belong to a *name*: to all limiters that have had it, one after another. So a counter
//! does not go back when a name is used again, and the counts of a limiter that comes and goes between two
//! readings are not lost. A program that makes a limiter for each request has as many series as it has limiters
//! at a time.
//!
//! A limiter that is dropped has no gauges any more, and its counters stay as they are. A program may never use a
//! name again, as with a limiter for each customer. This table limits the number of series then:
//!
//! | names that no limiter has | |
//! |---|---|
//! | the last 100 | are shown |
//! | the last 1,000 | continue from where they were, if a limiter takes the name again |
//! | others | start from zero: a counter's reset, as when a program is started anew |
//!
//! Limiters that have counted nothing do not belong to them. A recorder of the `metrics` facade and the histograms of
//! an OpenTelemetry SDK keep what they have received, until they forget it by themselves: the SDK limits the number of
//! series, and a recorder may forget after some time. If a name was forgotten here and a recorder still has it,
//! the recorder's counter grows again when the new count exceeds the old one.
//!
//! # Dashboard and alerts
//!
//! In the repository, `assets/grafana.json` is a dashboard for Grafana, and `assets/alerts.yml` has alerting rules
//! for Prometheus. Both use the names of this table. The [runbook] has a section on each alert.
//!
//! The dashboard has numbers at a glance, a table of the worst limiters, and charts of the ten worst. Its variables
//! choose jobs, instances and limiters. Marks in each chart show that the limit of a limiter was changed
//! (`concurrency_limit.limit.changes`; a pause is such a change), that it holds or does not hold from then on
//! (`concurrency_limit.enforced`), and that `max_waiting` or `max_wait` has another bound. A limit that adapts leaves no
//! mark.
//! A switch shows marks where overload cut such a limit. With the address of
//! limit-console's page in the variable `page`, the name of a limiter leads to its page.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(all(feature = "metrics", feature = "opentelemetry", feature = "prometheus")),
    allow(
        rustdoc::broken_intra_doc_links,
        reason = "the documentation names modules that are off"
    )
)]
#![cfg_attr(
    not(any(feature = "metrics", feature = "opentelemetry", feature = "prometheus")),
    expect(dead_code, reason = "only exporters read the limiters")
)]

mod account;
#[cfg(any(feature = "opentelemetry", feature = "prometheus"))]
mod bounds;
mod deadlocked;
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
mod deltas;
mod exclusive;
mod labels;
mod ledger;
mod list;
mod metric;
mod oldest;
mod series;
mod share;
mod state;

#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub mod metrics;
#[cfg(feature = "opentelemetry")]
#[cfg_attr(docsrs, doc(cfg(feature = "opentelemetry")))]
pub mod opentelemetry;
#[cfg(feature = "prometheus")]
#[cfg_attr(docsrs, doc(cfg(feature = "prometheus")))]
pub mod prometheus;

pub mod runbook;

pub use list::METRICS;
pub use metric::{Kind, Label, Metric};
