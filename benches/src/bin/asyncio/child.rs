//! Our own calls, in a process that does nothing else.

use std::error::Error;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use limit_benches::machine::version;
use limit_runtime::concurrency_limit;
use serde_json::json;
use tokio::runtime::Builder;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::sleep;

const MILLISECOND: Duration = Duration::from_millis(1);

static LIMIT: OnceLock<usize> = OnceLock::new();
// Relaxed is enough: a permit that goes from one call to the next orders their changes of the
// count.
static RUNNING: AtomicU32 = AtomicU32::new(0);
static MOST_AT_ONCE: AtomicU32 = AtomicU32::new(0);

fn limit() -> usize {
    LIMIT.get().copied().unwrap_or(1)
}

fn enter() {
    let running = RUNNING.fetch_add(1, Relaxed) + 1;
    if running > MOST_AT_ONCE.load(Relaxed) {
        MOST_AT_ONCE.fetch_max(running, Relaxed);
    }
}

fn leave() {
    RUNNING.fetch_sub(1, Relaxed);
}

#[concurrency_limit(limit())]
async fn empty(value: u32) -> u32 {
    enter();
    leave();
    value
}

#[concurrency_limit(limit())]
async fn sleeping(value: u32) -> u32 {
    enter();
    sleep(MILLISECOND).await;
    leave();
    value
}

/// Takes the runtime, the body, the number of calls, the limit, and the number of calls to warm up
/// with. Returns the figures as one line of JSON.
pub(crate) fn run(arguments: &[String]) -> Result<String, Box<dyn Error>> {
    let [runtime, body, calls, limit, warm_up] = arguments else {
        return Err("--child takes runtime, body, calls, limit and calls to warm up with".into());
    };
    let (calls, warm_up) = (calls.parse()?, warm_up.parse()?);
    LIMIT.get_or_init(|| limit.parse().unwrap_or(1));
    let before = peak_memory();
    let mut builder = match runtime.as_str() {
        "ours" => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(2).enable_time().build()?;
    let sleeps = body == "sleep";
    let alone = sleeps.then(|| runtime.block_on(lone_sleep()));
    // The calls are made in a task. So with workers this thread does none of the work.
    let (seconds, results) = runtime.block_on(runtime.spawn(async move {
        if sleeps {
            timed(calls, warm_up, sleeping).await
        } else {
            timed(calls, warm_up, empty).await
        }
    }))??;
    let peak = peak_memory();
    let outcome = json!({
        "results": results,
        "seconds": seconds,
        "most_at_once": MOST_AT_ONCE.load(Relaxed),
        "before_kib": before,
        "peak_kib": peak,
        "lone_sleep_ms": alone,
        "versions": {
            "limit-runtime": version("limit-runtime"),
            "tokio": version("tokio"),
        },
    });
    Ok(outcome.to_string())
}

/// Returns the seconds from before the first call until the last has given its result, after a
/// warm-up.
async fn timed<F>(calls: u32, warm_up: u32, call: fn(u32) -> F) -> Result<(f64, usize), JoinError>
where
    F: Future<Output = u32> + Send + 'static,
{
    gather(warm_up, call).await?;
    let start = Instant::now();
    let results = gather(calls, call).await?;
    Ok((start.elapsed().as_secs_f64(), results.len()))
}

/// Makes all calls at once, each in a task, and returns their results in order.
async fn gather<F>(calls: u32, call: fn(u32) -> F) -> Result<Vec<u32>, JoinError>
where
    F: Future<Output = u32> + Send + 'static,
{
    let tasks: Vec<JoinHandle<u32>> = (0..calls).map(|value| tokio::spawn(call(value))).collect();
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(task.await?);
    }
    Ok(results)
}

/// Returns the milliseconds that a sleep of one takes when nothing else happens.
async fn lone_sleep() -> f64 {
    let start = Instant::now();
    for _ in 0..50 {
        sleep(MILLISECOND).await;
    }
    start.elapsed().as_secs_f64() / 50.0 * 1e3
}

/// Returns the peak memory of this process in KiB, or `None` where the system does not report it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.split_whitespace().next()?.parse().ok()
}
