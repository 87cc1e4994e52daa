//! A worker: one process of the fleet, which makes calls and logs them.
//!
//! It prints `ready`, begins when a byte comes on its input, prints `full` when it runs as many calls as the whole limit,
//! and prints its log when its input ends.

use std::error::Error;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use limit_runtime::fleet;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::admission::Admission;
use crate::calls::Call;
use crate::job::{Job, Load};

/// The time after which a worker ends also if its input does not.
const LONGEST: Duration = Duration::from_secs(300);

/// Returns the microseconds since the machine was started: one clock for all processes.
pub(crate) fn now() -> u64 {
    u64::try_from(fleet::now().as_micros()).unwrap_or(u64::MAX)
}

pub(crate) fn run(job: &Job) -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(work(job)).map_err(|error| -> Box<dyn Error> { error })
}

/// The log of a worker.
#[derive(Default)]
struct Log {
    /// A call that has not ended has the end 0.
    calls: Vec<Call>,
    running: u32,
    was_full: bool,
}

struct Worker {
    admission: Admission,
    job: Job,
    log: Mutex<Log>,
}

async fn work(job: &Job) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (admission, _fleet) = Admission::open(job).await?;
    let worker = Arc::new(Worker { admission, job: job.clone(), log: Mutex::default() });
    let (go, stop) = listen();
    println!("ready");
    go.await?;
    match job.load {
        Load::Tasks(tasks) => (0..tasks).for_each(|_| {
            let worker = Arc::clone(&worker);
            tokio::spawn(async move { while worker.call().await {} });
        }),
        Load::Rate(rate) => drop(tokio::spawn(arrive(Arc::clone(&worker), rate))),
    }
    let _ended = timeout(LONGEST, stop).await;
    worker.print_log()?;
    // The calls that run or wait end with the process, and the fleet is not left.
    std::process::exit(0);
}

/// Makes calls that come at random, independently of each other.
async fn arrive(worker: Arc<Worker>, rate: f64) {
    // A generator of its own, from which nothing else draws: the calls come at the same times whatever becomes of them.
    let mut random = fastrand::Rng::with_seed(worker.job.seed);
    let mut next = Instant::now();
    loop {
        // The time between two such calls is distributed exponentially.
        next += Duration::from_secs_f64(-(1.0 - random.f64()).ln() / rate);
        sleep_until(next).await;
        let worker = Arc::clone(&worker);
        tokio::spawn(async move { worker.call().await });
    }
}

impl Worker {
    /// Makes a call, and returns whether that worked.
    async fn call(&self) -> bool {
        let asked = now();
        let admitted = match self.admission.acquire().await {
            Ok(admitted) => admitted,
            Err(error) => {
                eprintln!("ERROR: a worker cannot acquire: {error}");
                return false;
            }
        };
        let index = self.begin(asked);
        let (least, most) = self.job.body;
        sleep(Duration::from_micros(fastrand::u64(least..=most))).await;
        self.end(index, admitted.is_lost());
        if let Err(error) = self.admission.release(admitted).await {
            eprintln!("ERROR: a worker cannot release: {error}");
            return false;
        }
        true
    }

    fn begin(&self, asked: u64) -> usize {
        let mut log = self.log();
        log.calls.push(Call { asked, start: now(), end: 0, lost: false });
        log.running += 1;
        if log.running == self.job.limit && !log.was_full {
            log.was_full = true;
            println!("full");
        }
        log.calls.len() - 1
    }

    fn end(&self, index: usize, lost: bool) {
        let mut log = self.log();
        log.running -= 1;
        let call = &mut log.calls[index];
        (call.end, call.lost) = (now(), lost);
    }

    fn print_log(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let log = self.log();
        let now = now();
        let mut text = String::new();
        for call in &log.calls {
            let end = if call.end == 0 { now } else { call.end };
            text += &Call { end, ..*call }.write();
            text.push('\n');
        }
        std::io::stdout().write_all(text.as_bytes())?;
        Ok(())
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns what is ready when a byte comes on the input, and what is when the input has ended.
fn listen() -> (oneshot::Receiver<()>, oneshot::Receiver<()>) {
    let (first, go) = oneshot::channel();
    let (last, stop) = oneshot::channel();
    std::thread::spawn(move || {
        let mut input = std::io::stdin();
        if input.read_exact(&mut [0]).is_ok() {
            // It fails if the worker has ended.
            let _ended = first.send(());
            while input.read(&mut [0]).is_ok_and(|read| read > 0) {}
        }
        let _ended = last.send(());
    });
    (go, stop)
}
