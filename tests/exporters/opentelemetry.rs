//! Collections of an OpenTelemetry provider.

use crate::support::{
    everything_once, expected, is_built, is_of_fleet, number, of_everything, of_some_metrics,
};
use limit_exporters::opentelemetry::{Observation, observe, observe_by_runtime};
use limit_exporters::{Kind, METRICS};
use limit_runtime::{Limiter, Rejected};
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, HistogramDataPoint, MetricData, ResourceMetrics, ScopeMetrics,
};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, InMemoryMetricExporterBuilder, Instrument, InstrumentKind,
    PeriodicReader, SdkMeterProvider, Stream, Temporality,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// A provider that collects when it is told to.
pub(crate) struct Provider {
    provider: SdkMeterProvider,
    exporter: InMemoryMetricExporter,
}

#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub(crate) numbers: BTreeMap<String, f64>,
    pub(crate) histograms: BTreeMap<String, Waits>,
    /// Kind, unit and description of each metric.
    metrics: BTreeMap<String, (Kind, String, String)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Waits {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    bounds: Vec<f64>,
    buckets: Vec<u64>,
}

impl Provider {
    pub(crate) fn new(temporality: Temporality) -> Self {
        let exporter = InMemoryMetricExporterBuilder::new().with_temporality(temporality).build();
        let reader =
            PeriodicReader::builder(exporter.clone()).with_interval(Duration::from_secs(3600));
        // Other tests of this program make more limiters than an SDK expects.
        let more = |instrument: &Instrument| {
            let more = Stream::builder().with_cardinality_limit(100_000).build().ok()?;
            (instrument.kind() == InstrumentKind::ObservableCounter).then_some(more)
        };
        let provider =
            SdkMeterProvider::builder().with_reader(reader.build()).with_view(more).build();
        Self { provider, exporter }
    }

    pub(crate) fn observe(&self) -> Observation {
        observe(&self.provider.meter("test"))
    }

    pub(crate) fn observe_by_runtime(&self) -> Observation {
        observe_by_runtime(&self.provider.meter("test"))
    }

    pub(crate) fn collect(&self) -> Collected {
        self.exporter.reset();
        self.provider.force_flush().expect("it collects");
        let metrics = self.exporter.get_finished_metrics().expect("it has collected");
        let mut collected = Collected::default();
        for metrics in &metrics {
            collected.add(metrics);
        }
        collected
    }
}

impl Collected {
    pub(crate) fn add(&mut self, metrics: &ResourceMetrics) {
        for metric in metrics.scope_metrics().flat_map(ScopeMetrics::metrics) {
            let listed = METRICS.iter().find(|listed| listed.name == metric.name());
            let listed = listed.expect("it is on the list");
            let kind = match metric.data() {
                AggregatedMetrics::U64(MetricData::Gauge(gauge)) => {
                    for point in gauge.data_points() {
                        let series = series(listed.prometheus, point.attributes());
                        self.numbers.insert(series, number(point.value()));
                    }
                    Kind::Gauge
                }
                AggregatedMetrics::F64(MetricData::Gauge(gauge)) => {
                    for point in gauge.data_points() {
                        let series = series(listed.prometheus, point.attributes());
                        self.numbers.insert(series, point.value());
                    }
                    Kind::Gauge
                }
                AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                    assert!(sum.is_monotonic(), "{}", metric.name());
                    for point in sum.data_points() {
                        let series = series(listed.prometheus, point.attributes());
                        self.numbers.insert(series, number(point.value()));
                    }
                    Kind::Counter
                }
                AggregatedMetrics::I64(MetricData::Sum(sum)) => {
                    assert!(!sum.is_monotonic(), "{}", metric.name());
                    for point in sum.data_points() {
                        let series = series(listed.prometheus, point.attributes());
                        let value = u64::try_from(point.value()).expect("none is negative");
                        self.numbers.insert(series, number(value));
                    }
                    Kind::UpDownCounter
                }
                AggregatedMetrics::F64(MetricData::Sum(sum)) => {
                    assert!(!sum.is_monotonic(), "{}", metric.name());
                    for point in sum.data_points() {
                        let series = series(listed.prometheus, point.attributes());
                        self.numbers.insert(series, point.value());
                    }
                    Kind::UpDownCounter
                }
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                    for point in histogram.data_points() {
                        let series = series(listed.prometheus, point.attributes());
                        self.histograms.insert(series, Waits::of(point));
                    }
                    Kind::Histogram
                }
                other => panic!("{}: {other:?}", metric.name()),
            };
            let told = (kind, metric.unit().to_owned(), metric.description().to_owned());
            self.metrics.insert(metric.name().to_owned(), told);
        }
    }

    pub(crate) fn waits(&self, limiter: &str) -> Waits {
        let name = format!("concurrency_limit_wait_time_seconds{{limiter=\"{limiter}\"}}");
        self.histograms.get(&name).cloned().unwrap_or_default()
    }

    pub(crate) fn admitted_at_once(&self, limiter: &str) -> Option<f64> {
        let labels = format!("{{limiter=\"{limiter}\",result=\"admitted_at_once\"}}");
        self.numbers.get(&format!("concurrency_limit_acquisitions_total{labels}")).copied()
    }
}

impl Waits {
    fn of(point: &HistogramDataPoint<f64>) -> Self {
        Self {
            count: point.count(),
            sum: point.sum(),
            bounds: point.bounds().collect(),
            buckets: point.bucket_counts().collect(),
        }
    }
}

fn series<'a>(metric: &str, labels: impl Iterator<Item = &'a KeyValue>) -> String {
    let mut labels: Vec<_> =
        labels.map(|label| format!("{}=\"{}\"", label.key, label.value)).collect();
    labels.sort();
    format!("{metric}{{{}}}", labels.join(","))
}

#[tokio::test(start_paused = true)]
async fn every_figure_is_that_of_the_snapshot() {
    static LIMITER: Limiter<Rejected> = of_everything("opentelemetry::everything");

    // Calls from before the observation count too.
    let permit = everything_once(&LIMITER).await;
    let snapshot = LIMITER.snapshot();
    let provider = Provider::new(Temporality::Cumulative);
    let _observation = provider.observe();
    let collected = provider.collect();
    for (name, value) in expected(&snapshot) {
        if !name.contains("wait_time") {
            assert_eq!(collected.numbers[&name], value, "{name}");
        }
    }
    let waits = collected.waits("opentelemetry::everything");
    assert_eq!(waits.count, snapshot.total.wait.count);
    let exact = snapshot.total.wait.total.as_secs_f64();
    assert!((waits.sum - exact).abs() < 1e-9, "{} for {exact}", waits.sum);
    drop(permit);
}

#[tokio::test(start_paused = true)]
async fn instruments_are_those_of_the_list() {
    #[cfg(feature = "diagnostics")]
    limit_runtime::diagnostics::record(true);
    let limiter = Limiter::new("opentelemetry::list", 1);
    wait_for(&limiter, 5).await;
    let _held = limiter.acquire().await;
    let _some = of_some_metrics("opentelemetry::list");
    let provider = Provider::new(Temporality::Cumulative);
    let _observation = provider.observe();
    let collected = provider.collect();
    let listed: BTreeMap<_, _> = METRICS
        .iter()
        .filter(|metric| is_built(metric) && !is_of_fleet(metric))
        .map(|metric| {
            (
                metric.name.to_owned(),
                (metric.kind, metric.unit.to_owned(), metric.description.to_owned()),
            )
        })
        .collect();
    // Another test may have a fleet meanwhile.
    let alone = collected.metrics.into_iter().filter(|(name, _)| !name.contains(".fleet."));
    assert_eq!(alone.collect::<BTreeMap<_, _>>(), listed);
}

/// Makes a call that waits so many milliseconds.
pub(crate) async fn wait_for(limiter: &Limiter, milliseconds: u64) {
    let permit = limiter.acquire().await;
    let mut waiter = Box::pin(limiter.acquire());
    assert!(futures::poll!(&mut waiter).is_pending());
    tokio::time::advance(Duration::from_millis(milliseconds)).await;
    drop(permit);
    drop(waiter.await);
}

#[tokio::test(start_paused = true)]
async fn waits_are_in_their_buckets_whether_they_came_before_or_after() {
    let limiter = Limiter::new("opentelemetry::waits", 1);
    let waits = [0, 1, 2, 3, 16, 17, 70, 1000, 60_000, 68_719, 68_720, 100_000];
    for wait in waits {
        wait_for(&limiter, wait).await;
    }
    let provider = Provider::new(Temporality::Cumulative);
    let _observation = provider.observe();
    let before = provider.collect().waits("opentelemetry::waits");
    let powers: Vec<_> = (18..=34).step_by(2).map(|power| number(1 << power) / 1e9).collect();
    assert_eq!(before.bounds, powers);
    let mut up_to = 0;
    for (bound, count) in std::iter::zip(&before.bounds, &before.buckets) {
        up_to += count;
        let exact = waits.iter().filter(|&&wait| number(wait) / 1e3 <= *bound).count();
        assert_eq!(up_to, exact as u64, "up to {bound} s");
    }
    for wait in waits {
        wait_for(&limiter, wait).await;
    }
    for _ in 0..2 {
        let twice = provider.collect().waits("opentelemetry::waits");
        let doubled: Vec<_> = before.buckets.iter().map(|count| count * 2).collect();
        assert_eq!((twice.count, &twice.buckets), (before.count * 2, &doubled));
        assert!((twice.sum - before.sum * 2.0).abs() < 1e-9, "{} and {}", before.sum, twice.sum);
    }
}

#[test]
fn all_waits_are_told_once_when_observation_begins_under_load() {
    static LIMITER: Limiter = Limiter::new("opentelemetry::load", 1);

    let provider = Provider::new(Temporality::Cumulative);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    let runtime = runtime.expect("a runtime can be made");
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            runtime.spawn(async {
                for _ in 0..2000 {
                    let permit = LIMITER.acquire().await;
                    tokio::task::yield_now().await;
                    drop(permit);
                }
            })
        })
        .collect();
    let mut observation = provider.observe();
    while tasks.iter().any(|task| !task.is_finished()) {
        let snapshot = LIMITER.snapshot().total.wait.count;
        assert!(provider.collect().waits("opentelemetry::load").count >= snapshot);
    }
    runtime.block_on(async {
        for task in tasks {
            task.await.expect("no panic");
        }
    });
    let exact = LIMITER.snapshot().total.wait;
    let waits = provider.collect().waits("opentelemetry::load");
    assert_eq!(waits.count, exact.count);
    let sum = exact.total.as_secs_f64();
    assert!((waits.sum - sum).abs() <= sum * 1e-3, "{} for {sum}", waits.sum);
    // An observation that has ended records nothing.
    observation = {
        drop(observation);
        Provider::new(Temporality::Cumulative).observe()
    };
    runtime.block_on(async { drop(LIMITER.acquire().await) });
    assert_eq!(provider.collect().waits("opentelemetry::load").count, exact.count);
    drop(observation);
}

#[cfg(feature = "diagnostics")]
#[test]
fn all_holds_are_told_once_when_observation_begins_under_load() {
    use crate::foreign::{Foreign, Holds};
    use limit_exporters::prometheus::Collector;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    static LIMITER: Limiter = Limiter::new("opentelemetry::load-holds", 4);
    const NAME: &str = "concurrency_limit_hold_time_seconds";
    const THREADS: u64 = 4;
    const ROUNDS: u64 = 300;

    limit_runtime::diagnostics::record(true);
    // Returns the limiter's own figures.
    let exact = || {
        let samples = crate::support::samples(&crate::support::encoded(Collector::new()));
        let of = |part: &str| {
            samples.get(&format!("{NAME}_{part}{{limiter=\"{}\"}}", LIMITER.name())).copied()
        };
        (of("count").unwrap_or_default(), of("sum").unwrap_or_default())
    };
    let provider = Provider::new(Temporality::Cumulative);
    // An SDK takes too long for a collection to meet many calls. This one does nothing else.
    let holds = Arc::new(Holds::default());
    let quick = Foreign::new({
        let holds = Arc::clone(&holds);
        move |limiter, seconds| {
            if limiter == LIMITER.name() {
                holds.tell(seconds);
            }
        }
    });
    let running = AtomicU64::new(THREADS);
    let of_sdk = |collected: Collected| {
        let waits = collected.histograms.get(&format!("{NAME}{{limiter=\"{}\"}}", LIMITER.name()));
        waits.map_or((0, 0.0), |waits| (waits.count, waits.sum))
    };
    let is_running = || running.load(Ordering::Relaxed) > 0;
    let (_observation, _quick) = std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    // The first call of a thread is counted: many threads make many samples.
                    std::thread::scope(|scope| {
                        scope.spawn(|| (0..65).for_each(|_| drop(LIMITER.try_acquire())));
                    });
                }
                running.fetch_sub(1, Ordering::Relaxed);
            });
        }
        let observation = provider.observe();
        let observed = observe(&quick.meter());
        scope.spawn(|| {
            while is_running() {
                quick.collect();
            }
        });
        let mut last = 0;
        while is_running() {
            let (before, _) = exact();
            let (told, _) = of_sdk(provider.collect());
            assert!(number(told) >= before && told >= last, "{told} after {last} and {before}");
            last = told;
        }
        (observation, observed)
    });
    quick.collect();
    let (count, sum) = exact();
    assert!(count >= number(THREADS * ROUNDS), "a thread's first is counted");
    for (told, told_sum) in [of_sdk(provider.collect()), holds.told()] {
        assert_eq!(number(told), count);
        assert!((told_sum - sum).abs() <= sum * 1e-3, "{told_sum} for {sum}");
    }
}

#[test]
fn ended_observation_observes_nothing() {
    let limiter = Limiter::new("opentelemetry::ended", 1);
    drop(limiter.try_acquire());
    let provider = Provider::new(Temporality::Cumulative);
    let observation = provider.observe();
    assert_eq!(provider.collect().admitted_at_once("opentelemetry::ended"), Some(1.0));
    drop(observation);
    assert_eq!(provider.collect().admitted_at_once("opentelemetry::ended"), None);
}

#[test]
fn counters_of_a_name_never_go_back() {
    for temporality in [Temporality::Cumulative, Temporality::Delta] {
        let provider = Provider::new(temporality);
        let _observation = provider.observe();
        let name = format!("opentelemetry::dropped-{temporality:?}");
        let mut sum = 0.0;
        let mut admitted_at_once = || {
            let value = provider.collect().admitted_at_once(&name).expect("it is observed");
            sum = if temporality == Temporality::Delta { sum + value } else { value };
            sum
        };
        let limiter = Limiter::named(name.clone(), 1);
        for _ in 0..3 {
            drop(limiter.try_acquire());
        }
        assert_eq!(admitted_at_once(), 3.0);
        drop(limiter.try_acquire());
        // The limiter is dropped and made again between two collections.
        drop(limiter);
        let limiter = Limiter::named(name.clone(), 1);
        drop(limiter.try_acquire());
        assert_eq!(admitted_at_once(), 5.0);
        drop(limiter.try_acquire());
        drop(limiter);
        assert_eq!(admitted_at_once(), 6.0);
        assert_eq!(admitted_at_once(), 6.0);
        let limiter = Limiter::named(name.clone(), 1);
        assert_eq!(admitted_at_once(), 6.0);
        drop(limiter.try_acquire());
        assert_eq!(admitted_at_once(), 7.0);
    }
}

#[cfg(feature = "diagnostics")]
#[test]
fn holds_are_told_once_whether_they_came_before_or_after() {
    limit_runtime::diagnostics::record(true);
    let limiter = Limiter::new("opentelemetry::holds", 1);
    let hold = |calls: u32| (0..calls).for_each(|_| drop(limiter.try_acquire()));
    let name = "concurrency_limit_hold_time_seconds{limiter=\"opentelemetry::holds\"}";
    let oldest = "concurrency_limit_oldest_holder_start_timestamp_seconds\
                  {limiter=\"opentelemetry::holds\"}";
    hold(65);
    let provider = Provider::new(Temporality::Cumulative);
    let _observation = provider.observe();
    assert_eq!(provider.collect().histograms[name].count, 2);
    hold(64);
    let permit = limiter.try_acquire();
    for _ in 0..2 {
        let collected = provider.collect();
        assert_eq!(collected.histograms[name].count, 3);
        assert!(collected.numbers[oldest] > 1.7e9, "seconds since 1970");
    }
    drop(permit);
    assert!(!provider.collect().numbers.contains_key(oldest));
}
