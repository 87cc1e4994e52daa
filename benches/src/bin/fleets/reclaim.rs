//! The time until the permits of a killed process are used by others.

use std::error::Error;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use limit_benches::median;
use serde_json::json;

use crate::calls::most_at_once;
use crate::crew::{self, Worker};
use crate::job::{Contender, Job, Load};
use crate::plan::{Plan, Row};
use crate::report::{Section, verdict};
use crate::server::Server;
use crate::worker::now;

/// The permits, all of which the process holds that is killed.
const LIMIT: u32 = 4;

/// The processes that wait for them, and the calls of each.
const WAITERS: u32 = 2;
const TASKS: u32 = 4;

/// An hour: no call ends by itself.
const HOUR: u64 = 3_600_000_000;

/// The most time after the end of the lease.
const AT_MOST: f64 = 0.3;

/// The times from the last message of a killed process to the first call on its permits, and to the last of as many
/// calls as it had permits, in seconds.
struct Reclaim {
    first: f64,
    all: f64,
    most: usize,
}

pub(crate) fn measure(server: &mut Server, plan: &Plan) -> Result<Section, Box<dyn Error>> {
    let head = ["lease", "killed", "first call after s", "worst", "all permits after s", "worst"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    let (mut notes, mut rows, mut is_sound) = (Vec::new(), Vec::new(), true);
    for &(lease, count) in &plan.reclaims {
        server.wait_until_older_than(lease);
        let reclaims: Vec<_> =
            (0..count).map(|round| run(server, lease, round)).collect::<Result<_, _>>()?;
        let first: Vec<f64> = reclaims.iter().map(|reclaim| reclaim.first).collect();
        let all: Vec<f64> = reclaims.iter().map(|reclaim| reclaim.all).collect();
        let worst =
            |values: &[f64]| values.iter().copied().max_by(f64::total_cmp).unwrap_or(f64::NAN);
        let mut line = vec![format!("{} s", lease.as_secs()), count.to_string()];
        for values in [&first, &all] {
            line.push(format!("{:.2}", median(values.clone())));
            line.push(format!("{:.2}", worst(values)));
        }
        lines.push(line);
        let at_most = lease.as_secs_f64() + AT_MOST;
        let is_met = worst(&first) <= at_most;
        notes.push(format!(
            "lease {} s: first call within {at_most} s: {}",
            lease.as_secs(),
            verdict(is_met)
        ));
        is_sound &= reclaims.iter().all(|reclaim| reclaim.most <= LIMIT as usize);
        rows.push(json!({ "lease_s": lease.as_secs_f64(), "first_s": first, "all_s": all }));
    }
    notes.push(format!(
        "A process that holds all {LIMIT} permits is killed while {WAITERS} others wait. The time runs from its last \
         message, as the server saw it"
    ));
    if !is_sound {
        notes.push("ERROR: more calls ran at once than the limit".to_owned());
    }
    let title = "reclaim: seconds until the permits of a killed process are used by others";
    let (name, title) = (Row::Reclaim.name(), title.to_owned());
    Ok(Section { name, title, lines, notes, json: json!(rows), is_sound })
}

fn run(server: &mut Server, lease: Duration, round: u32) -> Result<Reclaim, Box<dyn Error>> {
    let job = Job {
        contender: Contender::Lease,
        url: server.url(),
        name: format!("reclaim-{}-{round}", lease.as_secs()),
        limit: LIMIT,
        lease,
        load: Load::Tasks(TASKS),
        body: (HOUR, HOUR),
        seed: 0,
    };
    let monitor = server.monitor()?;
    let mut victim = crew::start(1, &job)?.remove(0);
    victim.go()?;
    victim.wait_for("full")?;
    let mut waiters = crew::start(WAITERS, &job)?;
    waiters.iter_mut().try_for_each(Worker::go)?;
    // Half a second, in which the waiters join the queue, and any part of the time between two renewals.
    thread::sleep(Duration::from_millis(500) + (lease / 3).mul_f64(fastrand::f64()));
    let process = victim.id();
    victim.kill()?;
    // A message that is under way when the process is killed counts.
    thread::sleep(Duration::from_millis(100));
    let last =
        monitor.last_message_of(process).ok_or("the server has seen no message of a worker")?;
    let killed = now();
    thread::sleep(lease + Duration::from_secs(1));
    let logs = crew::end(waiters)?;
    let mut starts: Vec<u64> = logs.iter().flatten().map(|call| call.start).collect();
    starts.sort_unstable();
    // Not a number if the process was so starved that it had lost its lease before it was killed.
    let is_reclaimed = starts.first().is_none_or(|&start| start >= killed);
    let since = |index: usize| match starts.get(index) {
        Some(&start) if is_reclaimed => {
            Duration::from_micros((start + offset()).saturating_sub(last)).as_secs_f64()
        }
        Some(_) => f64::NAN,
        None => f64::INFINITY,
    };
    Ok(Reclaim { first: since(0), all: since(LIMIT as usize - 1), most: most_at_once(&logs) })
}

/// Returns the microseconds from the clock of the logs to the wall clock, which the server tells.
fn offset() -> u64 {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(wall.as_micros()).unwrap_or(u64::MAX).saturating_sub(now())
}
