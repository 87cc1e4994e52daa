//! The process of a crowd, or of one limiter alone. It measures itself when asked.

use std::hint::black_box;
use std::io::stdin;
use std::time::{Duration, Instant};

use limit_runtime::{Limiter, concurrency_limit};
use tokio::runtime::Runtime;

use crate::rows::{this_thread, two_workers};
use crate::subjects::{LIMIT, body};
use limit_benches::measure::{calibrate, nanos_each};

#[concurrency_limit(LIMIT)]
async fn annotated(value: u32) -> u32 {
    body(value)
}

async fn acquired(limiter: &Limiter, value: u32) -> u32 {
    let _permit = limiter.acquire().await;
    body(value)
}

/// Makes the crowd. Then prints one line for each line that it reads: the nanoseconds of a call to
/// one limiter, and to each limiter in turn.
pub(crate) fn child(arguments: &[String]) {
    let [subject, limiters, runtimes, turn] = arguments else {
        panic!("--crowd-child takes subject, limiters, runtimes and milliseconds");
    };
    let number = |text: &str| text.parse::<u32>().expect("a whole number");
    let turn = Duration::from_millis(u64::from(number(turn)));
    let attribute = subject == "attribute";
    let limiters = crowd_of_limiters(number(limiters));
    let runtimes = crowd_of_runtimes(number(runtimes), limiters, attribute);
    let runtime = runtimes.last().expect("at least one runtime");
    let last = limiters.last().expect("at least one limiter");
    let mut one: Box<dyn FnMut(u32) -> Duration> = if attribute {
        Box::new(in_task(runtime, |count| async move {
            for value in 0..count {
                black_box(annotated(value).await);
            }
        }))
    } else {
        Box::new(in_task(runtime, move |count| async move {
            for value in 0..count {
                black_box(acquired(last, value).await);
            }
        }))
    };
    let mut cycle = in_task(runtime, move |count| async move {
        for (value, limiter) in (0..count).zip(limiters.iter().cycle()) {
            black_box(acquired(limiter, value).await);
        }
    });
    let ones = calibrate(turn, &mut one);
    let cycles = calibrate(turn, &mut cycle);
    for _ in stdin().lines() {
        let one = nanos_each(one(ones), ones);
        let cycle = nanos_each(cycle(cycles), cycles);
        println!("{one} {cycle}");
    }
}

/// Makes limiters and leaks them. Like statics, they exist until the process ends.
fn crowd_of_limiters(count: u32) -> &'static [Limiter] {
    (0..count)
        .map(|index| Limiter::new(Box::leak(format!("crowd-{index}").into_boxed_str()), LIMIT))
        .collect::<Vec<_>>()
        .leak()
}

/// Makes runtimes and uses every limiter in each. The last runtime has workers, the others have
/// none.
fn crowd_of_runtimes(count: u32, limiters: &'static [Limiter], attribute: bool) -> Vec<Runtime> {
    let mut runtimes: Vec<Runtime> = (1..count).map(|_| this_thread()).collect();
    runtimes.push(two_workers());
    // The annotated function has a limiter too, which replaces the first.
    let bare = &limiters[usize::from(attribute)..];
    for runtime in &runtimes {
        runtime.block_on(async {
            for limiter in bare {
                acquired(limiter, 0).await;
            }
            if attribute {
                annotated(0).await;
            }
        });
    }
    runtimes
}

/// Makes a number of calls in one task, and returns how long they took.
fn in_task<F>(runtime: &Runtime, calls: impl Fn(u32) -> F) -> impl FnMut(u32) -> Duration
where
    F: Future<Output = ()> + Send + 'static,
{
    move |count| {
        let calls = calls(count);
        let timed = runtime.spawn(async move {
            let start = Instant::now();
            calls.await;
            start.elapsed()
        });
        runtime.block_on(timed).expect("the task ends")
    }
}
