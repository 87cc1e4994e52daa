//! The figures of a limit over a fleet, as an agent of the test gives them.

use crate::support::{encoded, one_thread, samples};
use limit_exporters::opentelemetry::observe;
use limit_exporters::prometheus::Collector;
use limit_exporters::{METRICS, metrics};
use limit_runtime::fleet::{self, Agent};
use limit_runtime::{FleetFigures, LedgerFigures, Limiter, LimiterHandle, Scope};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ScopeMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

/// An agent that knows what the tests tell it.
#[derive(Debug, Default)]
struct Told(Mutex<HashMap<String, FleetFigures>>);

impl Agent for Told {
    fn wake(&self, _: &LimiterHandle) {}

    fn figures(&self, limiter: &str) -> Option<FleetFigures> {
        self.0.lock().expect("no panic").get(limiter).cloned()
    }
}

static AGENT: LazyLock<Arc<Told>> = LazyLock::new(|| {
    let agent = Arc::<Told>::default();
    fleet::start(Arc::clone(&agent) as Arc<dyn Agent>).expect("it is the first");
    agent
});

fn tell(limiter: &str, ledgers: Vec<LedgerFigures>) {
    let mut figures = FleetFigures::default();
    figures.ledgers = ledgers;
    AGENT.0.lock().expect("no panic").insert(limiter.to_owned(), figures);
}

fn ledger(key: Option<&str>) -> LedgerFigures {
    let mut ledger = LedgerFigures::default();
    ledger.key = key.map(ToOwned::to_owned);
    (ledger.limit, ledger.limit_here, ledger.in_use) = (10, 12, 9);
    (ledger.share, ledger.want) = (4, 6);
    (ledger.nodes, ledger.queued, ledger.learning) = (3, 1, true);
    ledger.lease_left = Some(Duration::from_millis(4500));
    ledger.store_time = Duration::from_micros(250);
    ledger.renewals.granted = 70;
    ledger.renewals.refused = 1;
    ledger.renewals.failed = 2;
    ledger
}

/// Makes a limiter in a fleet that was used.
fn limiter(name: &'static str, ledgers: Vec<LedgerFigures>) -> Limiter {
    tell(name, ledgers);
    let limiter = Limiter::new(name, 12).scope(Scope::Fleet);
    assert!(limiter.try_acquire().is_err(), "the agent grants nothing");
    limiter
}

/// The name of each metric of a fleet with Prometheus, the labels besides limiter and key, and the value.
const EXPECTED: [(&str, &str, f64); 13] = [
    ("permit_limit", "", 10.0),
    ("permit_limit_here", "", 12.0),
    ("permit_usage", "", 9.0),
    ("permit_share", "", 4.0),
    ("permit_want", "", 6.0),
    ("nodes", "", 3.0),
    ("queued_nodes", "", 1.0),
    ("learning", "", 1.0),
    ("lease_remaining_seconds", "", 4.5),
    ("store_time_seconds", "", 0.000_25),
    ("renewals_total", ",result=\"granted\"", 70.0),
    ("renewals_total", ",result=\"refused\"", 1.0),
    ("renewals_total", ",result=\"failed\"", 2.0),
];

/// Returns the series that are to be shown, by name and labels as Prometheus writes them.
fn expected(limiter: &str, key: Option<&str>) -> BTreeMap<String, f64> {
    let key = key.map(|key| format!(",key=\"{key}\"")).unwrap_or_default();
    let series = EXPECTED.iter().map(|(name, more, value)| {
        (format!("concurrency_limit_fleet_{name}{{limiter=\"{limiter}\"{key}{more}}}"), *value)
    });
    series.collect()
}

/// Returns the series of a limiter's fleet that Prometheus is shown.
fn shown(limiter: &str) -> BTreeMap<String, f64> {
    let label = format!("limiter=\"{limiter}\"");
    let all = samples(&encoded(Collector::new())).into_iter();
    all.filter(|(name, _)| name.contains("_fleet_") && name.contains(&label)).collect()
}

#[test]
fn all_metrics_of_a_fleet_are_tested() {
    let listed =
        METRICS.iter().filter_map(|it| it.prometheus.strip_prefix("concurrency_limit_fleet_"));
    let mut tested: Vec<_> = EXPECTED.iter().map(|(name, ..)| *name).collect();
    tested.dedup();
    assert_eq!(listed.collect::<Vec<_>>(), tested);
}

#[test]
fn prometheus_is_shown_each_ledger() {
    let _limiter = limiter("fleet::prometheus", vec![ledger(None)]);
    assert_eq!(shown("fleet::prometheus"), expected("fleet::prometheus", None));
}

#[test]
fn ledgers_of_keys_have_the_key_as_a_label() {
    let _limiter = limiter("fleet::keys", vec![ledger(Some("eu")), ledger(Some("us"))]);
    let mut both = expected("fleet::keys", Some("eu"));
    both.extend(expected("fleet::keys", Some("us")));
    assert_eq!(shown("fleet::keys"), both);
}

#[test]
fn of_very_many_ledgers_the_first_hundred_are_shown() {
    let ledgers = (0..150).map(|number| ledger(Some(&format!("{number:03}"))));
    let _limiter = limiter("fleet::many", ledgers.collect());
    let shown = shown("fleet::many");
    assert_eq!(shown.len(), 100 * EXPECTED.len());
    assert!(shown.keys().all(|series| !series.contains("key=\"100\"")));
}

#[test]
fn without_a_lease_its_rest_is_0() {
    let mut without = ledger(None);
    without.lease_left = None;
    let _limiter = limiter("fleet::lapsed", vec![without]);
    let series = "concurrency_limit_fleet_lease_remaining_seconds{limiter=\"fleet::lapsed\"}";
    assert_eq!(shown("fleet::lapsed")[series], 0.0);
}

#[test]
fn a_limiter_without_a_fleet_has_none_of_them() {
    let alone = Limiter::new("fleet::alone", 1);
    drop(one_thread().block_on(alone.acquire()));
    assert_eq!(shown("fleet::alone"), BTreeMap::new());
}

#[test]
fn opentelemetry_is_shown_each_ledger() {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder()
        .with_reader(PeriodicReader::builder(exporter.clone()).build())
        .build();
    let _observation = observe(&provider.meter("fleet"));
    let _limiter = limiter("fleet::opentelemetry", vec![ledger(None), ledger(Some("eu"))]);
    provider.force_flush().expect("it exports");
    let mut shown = BTreeMap::new();
    let mut put = |name: &str, labels: Vec<(String, String)>, value: f64| {
        if name.contains(".fleet.")
            && labels.iter().any(|(_, value)| value == "fleet::opentelemetry")
        {
            let labels: Vec<_> =
                labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
            shown.insert(format!("{name}{{{}}}", labels.join(",")), value);
        }
    };
    for resource in exporter.get_finished_metrics().expect("they are kept") {
        for metric in resource.scope_metrics().flat_map(ScopeMetrics::metrics) {
            let labels = |attributes: &mut dyn Iterator<Item = &opentelemetry::KeyValue>| {
                let rank =
                    |name: &str| ["limiter", "key", "result"].iter().position(|it| *it == name);
                let mut all: Vec<_> =
                    attributes.map(|it| (it.key.to_string(), it.value.to_string())).collect();
                all.sort_by_key(|(name, _)| rank(name));
                all
            };
            match metric.data() {
                AggregatedMetrics::F64(MetricData::Gauge(gauge)) => gauge
                    .data_points()
                    .for_each(|it| put(metric.name(), labels(&mut it.attributes()), it.value())),
                AggregatedMetrics::F64(MetricData::Sum(sum)) => sum
                    .data_points()
                    .for_each(|it| put(metric.name(), labels(&mut it.attributes()), it.value())),
                AggregatedMetrics::U64(MetricData::Sum(sum)) => sum.data_points().for_each(|it| {
                    let value = u32::try_from(it.value()).map_or(f64::INFINITY, f64::from);
                    put(metric.name(), labels(&mut it.attributes()), value);
                }),
                _ => {}
            }
        }
    }
    assert_eq!(shown, expected_of_both("fleet::opentelemetry"));
}

/// Returns a series with the metric's name by the rules of OpenTelemetry.
fn dotted(series: &str) -> String {
    let (name, labels) = series.split_once('{').expect("labels");
    let metric = METRICS.iter().find(|metric| metric.prometheus == name).expect("it is listed");
    format!("{}{{{labels}", metric.name)
}

/// Returns the figures of a limiter's fleet that a recorder has now. It forgets them with that.
fn recorded(recorder: &DebuggingRecorder, limiter: &str) -> BTreeMap<String, f64> {
    let mut figures = BTreeMap::new();
    for (key, _, _, value) in recorder.snapshotter().snapshot().into_vec() {
        let key = key.key();
        let labels: Vec<_> =
            key.labels().map(|it| format!("{}=\"{}\"", it.key(), it.value())).collect();
        let value = match value {
            DebugValue::Gauge(value) => value.0,
            DebugValue::Counter(value) => u32::try_from(value).map_or(f64::INFINITY, f64::from),
            DebugValue::Histogram(_) => continue,
        };
        let labels = labels.join(",");
        if key.name().contains(".fleet.") && labels.contains(&format!("\"{limiter}\"")) {
            figures.insert(format!("{}{{{labels}}}", key.name()), value);
        }
    }
    figures
}

/// Returns the series of two ledgers, with the names by the rules of OpenTelemetry.
fn expected_of_both(limiter: &str) -> BTreeMap<String, f64> {
    let both = expected(limiter, None).into_iter().chain(expected(limiter, Some("eu")));
    both.map(|(series, value)| (dotted(&series), value)).collect()
}

#[test]
fn the_facade_is_shown_each_ledger() {
    let recorder = DebuggingRecorder::new();
    let _limiter = limiter("fleet::facade", vec![ledger(None), ledger(Some("eu"))]);
    ::metrics::with_local_recorder(&recorder, metrics::collect);
    assert_eq!(recorded(&recorder, "fleet::facade"), expected_of_both("fleet::facade"));
}

#[test]
fn the_facade_sets_the_gauges_of_a_ledger_that_is_gone_to_0() {
    let recorder = DebuggingRecorder::new();
    let _limiter = limiter("fleet::gone", vec![ledger(None), ledger(Some("eu"))]);
    ::metrics::with_local_recorder(&recorder, metrics::collect);
    tell("fleet::gone", vec![ledger(None)]);
    ::metrics::with_local_recorder(&recorder, metrics::collect);
    let wanted = expected_of_both("fleet::gone").into_iter().map(|(series, value)| {
        let is_gone = series.contains("key=\"eu\"") && !series.contains(".renewals{");
        (series, if is_gone { 0.0 } else { value })
    });
    assert_eq!(recorded(&recorder, "fleet::gone"), wanted.collect());
}
