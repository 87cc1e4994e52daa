//! A sentinel-core entry under an isolation rule. The entry refuses where the others wait.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};

use sentinel_core::base::TrafficType;
use sentinel_core::{EntryBuilder, config, init_with_config, isolation};

use super::subject::{LIMIT, Subject, body};

const RESOURCE: &str = "free";

static REFUSED: AtomicU64 = AtomicU64::new(0);

/// Returns how many calls sentinel has refused. It should be 0 in the rows that sentinel takes part
/// in.
pub(crate) fn refused() -> u64 {
    REFUSED.load(Ordering::Relaxed)
}

/// A sentinel entry around the body.
#[derive(Clone)]
pub(crate) struct Sentinel(());

impl Sentinel {
    /// Initialises sentinel and loads the rule, the first time.
    pub(crate) fn new() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // Sentinel's clock is cached, as by default. Its watch of the machine's load, processor
            // and memory stays off: isolation does not use it, and it would disturb the others.
            let mut entity = config::ConfigEntity::new();
            entity.config.stat.system.system_interval_ms = 0;
            entity.config.stat.system.load_interval_ms = 0;
            entity.config.stat.system.cpu_interval_ms = 0;
            entity.config.stat.system.memory_interval_ms = 0;
            init_with_config(entity).expect("sentinel accepts its own defaults");
            isolation::load_rules(vec![Arc::new(isolation::Rule {
                resource: RESOURCE.to_owned(),
                metric_type: isolation::MetricType::Concurrency,
                threshold: u32::try_from(LIMIT).expect("a small limit"),
                ..isolation::Rule::default()
            })]);
        });
        Self(())
    }
}

fn entry(value: u32) -> u32 {
    let builder = EntryBuilder::new(RESOURCE.to_owned()).with_traffic_type(TrafficType::Inbound);
    if let Ok(entry) = builder.build() {
        let value = body(value);
        entry.exit();
        value
    } else {
        REFUSED.fetch_add(1, Ordering::Relaxed);
        value
    }
}

impl Subject for Sentinel {
    const QUEUES: bool = false;

    async fn free(&mut self, value: u32) -> u32 {
        entry(value)
    }

    async fn queued(&mut self, value: u32) -> u32 {
        entry(value)
    }

    #[expect(clippy::manual_async_fn, reason = "the future of an `async fn` would borrow `self`")]
    fn once(&self, value: u32) -> impl Future<Output = u32> + Send + 'static {
        async move { entry(value) }
    }
}
