//! The nanoseconds of a call that finds a permit free, by the scope of its limiter.

use std::error::Error;
use std::hint::black_box;
use std::pin::Pin;
use std::time::Duration;

use limit_benches::measure::{self, Contestant, Series, compare};
use limit_benches::median;
use limit_fleet::Fleet;
use limit_runtime::{Limiter, Scope};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Map, Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

use crate::plan::{Plan, Row};
use crate::report::{Section, verdict};
use crate::server::Server;

/// The most nanoseconds of a call with a lease.
const AT_MOST: f64 = 100.0;

static FLEET: Limiter = Limiter::new("hot-fleet", 8).scope(Scope::Fleet);
static PROCESS: Limiter = Limiter::new("hot-process", 8).scope(Scope::Process);
static RUNTIME: Limiter = Limiter::new("hot-runtime", 8);
static SEMAPHORE: Semaphore = Semaphore::const_new(8);

/// A future that makes a number of calls and returns the processor time that they took. It is boxed, so that each
/// contender's loop is a function of its own.
type Calls = Pin<Box<dyn Future<Output = Duration> + Send>>;

/// Returns the time for which this thread has run. A call that finds a permit free does not wait, so this is its time, also
/// while the thread shares its processor with others.
fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// Makes such a future for a number of calls.
type Make = fn(u32) -> Calls;

macro_rules! calls {
    ($acquire:expr) => {
        |count| -> Calls {
            Box::pin(async move {
                let start = processor_time();
                for value in 0..count {
                    let permit = $acquire;
                    black_box(value);
                    drop(permit);
                }
                processor_time().saturating_sub(start)
            })
        }
    };
}

/// The contenders, the one with a lease first and the one that all are held against last.
const CONTENDERS: [(&str, Make); 4] = [
    ("fleet", calls!(FLEET.acquire().await)),
    ("process", calls!(PROCESS.acquire().await)),
    ("runtime", calls!(RUNTIME.acquire().await)),
    ("tokio", calls!(SEMAPHORE.acquire().await.expect("it is not closed"))),
];

pub(crate) fn measure(server: &mut Server, plan: &Plan) -> Result<Section, Box<dyn Error>> {
    server.wait_until_older_than(plan.lease);
    // One worker, so that a task stays on its thread, whose time is taken.
    let one_worker = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let this_thread = Builder::new_current_thread().enable_all().build()?;
    let fleet = Fleet::connect(server.url()).namespace("benches").lease(plan.lease);
    let fleet = one_worker.block_on(fleet.start())?;
    let plan = measure::Plan { rounds: plan.hot_rounds, turn: Duration::from_millis(50) };
    let in_a_task = turns(plan, |count, calls| {
        one_worker.block_on(one_worker.spawn(calls(count))).expect("the task ends")
    });
    let in_block_on = turns(plan, |count, calls| this_thread.block_on(calls(count)));
    let result = if is_leased(&this_thread) {
        Ok(section(&[("task", in_a_task), ("block_on", in_block_on)]))
    } else {
        Err("the limiter has no lease".into())
    };
    one_worker.block_on(fleet.stop());
    result
}

fn turns(plan: measure::Plan, run: impl Fn(u32, Make) -> Duration + Copy) -> Vec<Series> {
    let contestant =
        |(name, calls): (_, Make)| Contestant::new(name, true, move |count| run(count, calls));
    compare(plan, &mut CONTENDERS.map(contestant))
}

/// Returns whether the limiter of the fleet has a lease, so that its figures are those of a call under a lease.
fn is_leased(runtime: &Runtime) -> bool {
    let permit = runtime.block_on(async { FLEET.acquire().await });
    let ledgers = FLEET.snapshot().fleet.map_or_else(Vec::new, |fleet| fleet.ledgers);
    permit.is_valid()
        && ledgers.iter().any(|ledger| ledger.share > 0 && ledger.lease_left.is_some())
}

fn section(rows: &[(&str, Vec<Series>)]) -> Section {
    let mut lines = vec![vec!["row".to_owned()]];
    lines[0].extend(CONTENDERS.map(|(name, _)| name.to_owned()));
    lines[0].extend(["fleet/process", "fleet/tokio", "process/tokio"].map(str::to_owned));
    let (mut notes, mut json) = (Vec::new(), Map::new());
    for (row, series) in rows {
        let [fleet, process, _, tokio] = &**series else { continue };
        let mut line = vec![(*row).to_owned()];
        line.extend(series.iter().map(|series| format!("{:.1}", series.median())));
        for (one, other) in [(fleet, process), (fleet, tokio), (process, tokio)] {
            line.push(format!("{:.3}", median(one.ratios_to(other))));
        }
        lines.push(line);
        let is_met = fleet.median() <= AT_MOST;
        notes.push(format!("{row}: fleet at most {AT_MOST} ns: {}", verdict(is_met)));
        let each = series.iter().map(|series| (series.name.to_owned(), json!(series.nanos)));
        json.insert((*row).to_owned(), each.collect::<Map<String, Value>>().into());
    }
    notes.push(
        "task: inside a spawned task (multi_thread, one worker); block_on: directly in it (current_thread)"
            .to_owned(),
    );
    let title = "hot: nanoseconds of processor time of a call that finds a permit free, by scope, and ratios";
    let name = Row::Hot.name();
    Section { name, title: title.to_owned(), lines, notes, json: json.into(), is_sound: true }
}
