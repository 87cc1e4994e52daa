//! An OpenTelemetry provider with several readers: each collects by itself, at any time.

use crate::opentelemetry::{Collected, wait_for};
use crate::support::{number, one_thread};
use limit_exporters::opentelemetry::{observe, observe_by_runtime};
use limit_runtime::Limiter;
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{
    InstrumentKind, ManualReader, MeterProviderBuilder, Pipeline, SdkMeterProvider, Stream,
    Temporality,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// A reader that collects when the test says so.
#[derive(Clone, Debug)]
struct Reader(Arc<ManualReader>);

impl MetricReader for Reader {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}

impl Reader {
    fn new(temporality: Temporality) -> Self {
        Self(Arc::new(ManualReader::builder().with_temporality(temporality).build()))
    }

    fn now(&self) -> Collected {
        let mut metrics = ResourceMetrics::default();
        self.collect(&mut metrics).expect("its provider is there");
        let mut collected = Collected::default();
        collected.add(&metrics);
        collected
    }

    /// Collects. Returns the number of waits, and their sum in seconds.
    fn waits(&self, limiter: &Limiter) -> (u64, f64) {
        let waits = self.now().waits(limiter.name());
        (waits.count, waits.sum)
    }
}

fn provider(readers: impl IntoIterator<Item = Reader>) -> SdkMeterProvider {
    // Other tests of this program make more limiters than an SDK expects.
    let more = |_: &_| Stream::builder().with_cardinality_limit(100_000).build().ok();
    readers
        .into_iter()
        .fold(SdkMeterProvider::builder(), MeterProviderBuilder::with_reader)
        .with_view(more)
        .build()
}

fn meter(provider: &SdkMeterProvider) -> Meter {
    provider.meter("test")
}

fn assert_near((count, sum): (u64, f64), expected: u64, milliseconds: u64) {
    assert_eq!(count, expected);
    let exact = number(milliseconds) / 1e3;
    assert!((sum - exact).abs() < 1e-9, "{sum} for {exact}");
}

#[tokio::test(start_paused = true)]
async fn each_reader_gets_each_wait_once() {
    let limiter = Limiter::new("readers::once", 1);
    wait_for(&limiter, 100).await;
    let [total, changes] = [Temporality::Cumulative, Temporality::Delta].map(Reader::new);
    let provider = provider([total.clone(), changes.clone()]);
    let _observation = observe(&meter(&provider));

    assert_near(total.waits(&limiter), 1, 100);
    assert_near(changes.waits(&limiter), 1, 100);
    assert_near(changes.waits(&limiter), 0, 0);
    wait_for(&limiter, 10).await;
    assert_near(total.waits(&limiter), 2, 110);
    assert_near(total.waits(&limiter), 2, 110);
    wait_for(&limiter, 1).await;
    wait_for(&limiter, 20).await;
    assert_near(changes.waits(&limiter), 3, 31);
    assert_near(changes.waits(&limiter), 0, 0);
    assert_near(total.waits(&limiter), 4, 131);
}

#[test]
fn readers_that_collect_at_the_same_time_get_each_wait_once() {
    static LIMITER: Limiter = Limiter::new("readers::load", 1);

    let all: Vec<_> = [Temporality::Cumulative, Temporality::Delta, Temporality::Cumulative]
        .map(|temporality| (temporality, Reader::new(temporality)))
        .into();
    let provider = provider(all.iter().map(|(_, reader)| reader.clone()));
    let _observation = observe(&meter(&provider));
    let running = AtomicUsize::new(2);
    let told = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                one_thread().block_on(async {
                    let calls = (0..4).map(|_| async {
                        for _ in 0..500 {
                            let permit = LIMITER.acquire().await;
                            tokio::task::yield_now().await;
                            drop(permit);
                        }
                    });
                    futures::future::join_all(calls).await;
                });
                running.fetch_sub(1, Ordering::Relaxed);
            });
        }
        let readers = all.iter().map(|(temporality, reader)| {
            scope.spawn(|| {
                let mut told = 0;
                loop {
                    let is_last = running.load(Ordering::Relaxed) == 0;
                    let counted = LIMITER.snapshot().total.wait.count;
                    let (count, _) = reader.waits(&LIMITER);
                    told = if *temporality == Temporality::Delta { told + count } else { count };
                    assert!(told >= counted, "{told} of {counted} that were there before");
                    if is_last {
                        break told;
                    }
                }
            })
        });
        let readers: Vec<_> = readers.collect();
        readers.into_iter().map(|reader| reader.join().expect("no panic")).collect::<Vec<_>>()
    });
    let counted = LIMITER.snapshot().total.wait.count;
    assert!(counted > 0);
    assert_eq!(told, [counted; 3]);
}

#[test]
fn waits_of_a_limiter_and_a_runtime_that_are_gone_are_in_the_next_collection() {
    let [total, changes, by_runtime] =
        [Temporality::Cumulative, Temporality::Delta, Temporality::Delta].map(Reader::new);
    let one = provider([total.clone(), changes.clone()]);
    let other = provider([by_runtime.clone()]);
    let _observations = [observe(&meter(&one)), observe_by_runtime(&meter(&other))];
    total.now();
    by_runtime.now();
    let name = "readers::gone";
    let counts = |collected: &Collected| {
        let histograms = collected.histograms.iter().filter(|(series, _)| series.contains(name));
        let waits = histograms.filter(|(series, _)| series.contains("wait_time"));
        waits.map(|(series, waits)| (series.clone(), waits.count)).collect::<Vec<_>>()
    };
    for round in 1..=2 {
        let limiter = Limiter::new(name, 1);
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime =
            runtime.enable_all().start_paused(true).build().expect("a runtime can be made");
        runtime.block_on(wait_for(&limiter, 5));
        drop((limiter, runtime));
        let series = format!("concurrency_limit_wait_time_seconds{{limiter=\"{name}\"}}");
        assert_eq!(counts(&total.now()), [(series.clone(), round)]);
        assert_eq!(counts(&changes.now()), [(series, 1)]);
        let retired = format!(
            "concurrency_limit_wait_time_seconds{{limiter=\"{name}\",runtime=\"retired\"}}"
        );
        assert_eq!(counts(&by_runtime.now()), [(retired, 1)]);
    }
}
