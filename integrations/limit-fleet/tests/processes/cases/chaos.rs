//! Many faults one after another, and at once.

use rustix::process::Signal;
use serde_json::json;
use tokio::time::{Duration, sleep};

use crate::proxy::{Mode, Proxy};
use crate::servers::Server;
use crate::workers::{
    DB, LEASE, N, Worker, assert_most_with_lease, logs, now, until_all_call, until_most,
};

/// A sequence of numbers that is the same for the same beginning.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("it is below `end`")
    }
}

/// The steps of a run, of 100 to 600 ms.
const STEPS: usize = 24;

pub(crate) async fn many_faults_together() {
    let seed = std::env::var("LIMIT_FLEET_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or(1);
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ seed);
    let mut server = Server::start(&[]);
    let mut proxies = Vec::new();
    let mut workers = Vec::new();
    for _ in 0..4 {
        let proxy = Proxy::start(server.port).await;
        workers.push(Worker::start(&proxy.url(), &json!({ "body": 40 })));
        proxies.push(proxy);
    }
    until_all_call(&workers, 0).await;
    let mut ended = Vec::new();
    let mut done = Vec::new();
    for _ in 0..STEPS {
        let one = random.below(workers.len());
        let fault = random.below(12);
        done.push((fault, one));
        match fault {
            0 | 1 => _ = workers[one].stop(),
            2 | 3 => _ = workers[one].go_on(),
            4 => {
                // In its place comes one that starts when it reaches the server.
                let settings = json!({ "body": 40, "lazily": true });
                let newcomer = Worker::start(&proxies[one].url(), &settings);
                let mut killed = std::mem::replace(&mut workers[one], newcomer);
                killed.kill();
                ended.push(killed);
            }
            5 => proxies[one].set(Mode::Silent),
            6 => proxies[one].set(Mode::DropAnswers),
            7 => proxies[one].set(Mode::Delay(Duration::from_millis(400))),
            8 => proxies[one].half_open(),
            9 => proxies[one].set(Mode::Pass),
            10 => {
                server.signal(Signal::STOP);
                sleep(Duration::from_millis(random.below(500) as u64)).await;
                server.signal(Signal::CONT);
            }
            _ => {
                server.kill();
                sleep(Duration::from_millis(random.below(500) as u64)).await;
                server.start_again();
            }
        }
        sleep(Duration::from_millis(100 + random.below(500) as u64)).await;
    }
    let mended = now();
    for (worker, proxy) in workers.iter_mut().zip(&proxies) {
        worker.go_on();
        proxy.set(Mode::Pass);
    }
    until_all_call(&workers, mended + LEASE).await;
    until_most(&workers.iter().collect::<Vec<_>>(), DB, N, mended + LEASE).await;
    workers.extend(ended);
    for worker in &mut workers {
        worker.kill();
    }
    println!("many faults: seed {seed}, fault and process: {done:?}");
    assert_most_with_lease(&logs(&workers), DB, N);
}
