//! Prometheus itself scrapes this program under known traffic, and shows what the program counts.

use crate::assets;
use crate::support::{
    encode, encoded, everything_once, expected, is_of_diagnostics, is_of_fleet, of_everything,
    of_some_metrics, samples,
};
use limit_exporters::prometheus::Collector;
use limit_exporters::{Kind, METRICS};
use limit_runtime::{Limiter, Rejected};
use limit_tests::polling::{permit, waiter};
use prometheus_client::registry::Registry;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// Returns the path of a program, if it is installed.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
}

pub(crate) fn say_that_it_is_missing(program: &str) {
    eprintln!("PASSED OVER: `{program}` is not installed (apt-get install prometheus)");
}

static LOADED: Limiter = Limiter::new("scraped::loaded", 3);
static EVERYTHING: Limiter<Rejected> = of_everything("scraped::everything");

#[test]
fn prometheus_shows_what_the_program_counts() -> Result {
    let Some(server) = find("prometheus") else {
        say_that_it_is_missing("prometheus");
        return Ok(());
    };
    let _worst = the_worst();
    let program = Program::serve(|| encoded(Collector::new()))?;
    let prometheus = Prometheus::start(&server, program.address)?;
    wait_until(|| Ok((prometheus.query("up")? == [1.0]).then_some(())))?;

    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let held = runtime.block_on(everything_once(&EVERYTHING));
    let calls = load_until_scraped_often(&runtime, &program);

    // The count is that of the calls that were made.
    let total = LOADED.snapshot().total;
    assert_eq!(total.admitted_at_once + total.admitted_after_waiting, calls);
    assert!(total.wait.count > 0, "under load calls wait");
    for name in ["scraped::loaded", "scraped::everything"] {
        agrees(&prometheus, name)?;
    }
    // No counter is less than at the scrape before.
    for metric in METRICS.iter().filter(|it| it.needs.is_none() && !is_of_fleet(it)) {
        let names: &[&str] = match metric.kind {
            Kind::Counter => &[""],
            Kind::Histogram => &["_bucket", "_count", "_sum"],
            _ => &[],
        };
        for name in names {
            let series = format!("{}{name}{{limiter=~\"scraped::.*\"}}", metric.prometheus);
            let resets = prometheus.query(&format!("max(resets({series}[1h]))"))?;
            assert_eq!(resets, [0.0], "{series}");
        }
    }

    drop(held);
    agrees(&prometheus, "scraped::everything")?;
    rules_can_be_evaluated(&prometheus)?;
    dashboard_can_be_drawn(&prometheus)
}

#[test]
fn prometheus_reads_what_two_collectors_of_one_registry_show() -> Result {
    let Some(server) = find("prometheus") else {
        say_that_it_is_missing("prometheus");
        return Ok(());
    };
    let limiter = Limiter::new("scraped::twice", 7);
    assert_eq!(limiter.snapshot().total.limit, 7);
    let twice = || {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Collector::new()));
        registry.register_collector(Box::new(Collector::new()));
        encode(&registry)
    };
    let line = "concurrency_limit_permit_limit{limiter=\"scraped::twice\"} 7\n";
    assert_eq!(twice().matches(line).count(), 2);
    let program = Program::serve(twice)?;
    let prometheus = Prometheus::start(&server, program.address)?;
    let limit = "concurrency_limit_permit_limit{limiter=\"scraped::twice\"}";
    wait_until(|| Ok((prometheus.query(limit)? == [7.0]).then_some(())))?;
    wait_until(|| Ok((prometheus.query("up")? == [1.0]).then_some(())))
}

/// Makes limiters that the dashboard shows as the worst: one that no call leaves, one that is paused, and one with a
/// key at its limit.
fn the_worst() -> impl Sized {
    static STUCK: Limiter = Limiter::new("scraped::stuck", 1);
    let held = permit(&STUCK);
    let waits = waiter(STUCK.acquire());
    let paused = Limiter::new("scraped::paused", 1);
    drop(permit(&paused));
    paused.set_limit(0);
    let keyed = of_some_metrics("scraped::keyed");
    (held, waits, paused, keyed)
}

/// Makes calls until the program has been scraped a few times meanwhile, and returns how many calls.
fn load_until_scraped_often(runtime: &tokio::runtime::Runtime, program: &Program) -> u64 {
    let enough = program.scrapes.load(Ordering::Relaxed) + 5;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let scrapes = Arc::clone(&program.scrapes);
            runtime.spawn(async move {
                let mut calls = 0_u64;
                while scrapes.load(Ordering::Relaxed) < enough {
                    let permit = LOADED.acquire().await;
                    tokio::task::yield_now().await;
                    // Most of these are refused.
                    calls += u64::from(LOADED.try_acquire().is_ok());
                    drop(permit);
                    calls += 1;
                }
                calls
            })
        })
        .collect();
    runtime.block_on(async {
        let mut calls = 0;
        for task in tasks {
            calls += task.await.expect("no panic");
        }
        calls
    })
}

/// Waits until Prometheus shows every figure of a limiter, buckets included.
fn agrees(prometheus: &Prometheus, name: &str) -> Result {
    let limiter = limit_runtime::find(name).ok_or("it has been used")?;
    let label = format!("limiter=\"{name}\"");
    let mut exact = expected(&limiter.snapshot());
    let buckets = samples(&encoded(Collector::new()));
    exact.extend(buckets.into_iter().filter(|(name, _)| {
        name.contains(&label) && (name.contains("_bucket") || is_of_diagnostics(name))
    }));
    let exact: BTreeMap<_, _> =
        exact.into_iter().map(|(name, value)| (by_label(&name), value)).collect();
    let mut shown = BTreeMap::new();
    let agreed = wait_until(|| {
        // Without the alerts that it makes of them.
        shown = prometheus.series(&format!("{{__name__=~\"concurrency_limit_.*\",{label}}}"))?;
        Ok((shown == exact).then_some(()))
    });
    if agreed.is_err() {
        assert_eq!(shown, exact);
    }
    agreed
}

/// Returns a series with its labels in order, and bounds as numbers.
fn by_label(series: &str) -> String {
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let mut labels: Vec<_> = labels.trim_end_matches('}').split(',').map(normal).collect();
    labels.sort();
    format!("{name}{{{}}}", labels.join(","))
}

fn normal(label: &str) -> String {
    let bound =
        label.strip_prefix("le=\"").and_then(|bound| bound.trim_end_matches('"').parse().ok());
    bound.map_or_else(|| label.to_owned(), |bound: f64| format!("le=\"{bound}\""))
}

fn rules_can_be_evaluated(prometheus: &Prometheus) -> Result {
    wait_until(|| {
        let rules = prometheus.get("/api/v1/rules")?;
        let rules = rules["data"]["groups"][0]["rules"].as_array().ok_or("no rules")?.clone();
        assert_eq!(rules.len(), assets::alerts::alerting_rules().len());
        assert!(rules.iter().all(|rule| rule["health"] != "err"), "{rules:?}");
        Ok(rules.iter().all(|rule| rule["health"] == "ok").then_some(()))
    })
}

/// Checks that each expression of the dashboard is valid, and that those of existing metrics have results.
fn dashboard_can_be_drawn(prometheus: &Prometheus) -> Result {
    let [(_, dashboard), _] = assets::all();
    let dashboard: Value = serde_json::from_str(&dashboard)?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    // The panels of a collapsed row are inside it.
    let rows = list(&dashboard["panels"]);
    let panels = rows.iter().cloned().chain(rows.iter().flat_map(|row| list(&row["panels"])));
    let queries = panels.flat_map(|panel| list(&panel["targets"]));
    let queries: Vec<_> = queries.chain(list(&dashboard["annotations"]["list"])).collect();
    assert!(queries.len() > 40, "{}", queries.len());
    for query in queries {
        let expression = query["expr"].as_str().ok_or("no expression")?;
        let mut chosen = expression.replace("$limiter", "scraped::.*");
        for (variable, value) in
            [("$job", ".*"), ("$instance", ".*"), ("$__rate_interval", "1m"), ("$__interval", "1m")]
        {
            chosen = chosen.replace(variable, value);
        }
        assert!(!chosen.contains('$'), "{chosen}");
        let later = ["hold_time", "oldest_holder", "deadlocked", "_fleet_", "changes(", " > 120"]
            .iter()
            .any(|name| expression.contains(name));
        // After a scrape that took too long there are no results until the next scrape.
        let is_drawn = || {
            let values = prometheus.query(&chosen)?;
            Ok((later || !values.is_empty()).then_some(()))
        };
        wait_until(is_drawn).map_err(|error| format!("{expression}: {error}"))?;
    }
    Ok(())
}

/// Repeats a question until it is answered, for a minute at most.
fn wait_until(mut done: impl FnMut() -> Result<Option<()>>) -> Result {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        if done().is_ok_and(|done| done.is_some()) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    done()?.ok_or_else(|| "not within a minute".into())
}

/// The target of the scrapes: this program.
struct Program {
    address: SocketAddr,
    scrapes: Arc<AtomicUsize>,
}

impl Program {
    /// Answers every request with all figures, until the test's end.
    fn serve(text: impl Fn() -> String + Send + 'static) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let scrapes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&scrapes);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                // The scraper may break a connection off.
                let _ = connection.and_then(|connection| answer(connection, &text()));
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(Self { address, scrapes })
    }
}

fn answer(mut connection: TcpStream, text: &str) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut part = [0; 1024];
        match connection.read(&mut part)? {
            0 => return Ok(()),
            length => request.extend_from_slice(&part[..length]),
        }
    }
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\
                Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n";
    write!(connection, "{head}Content-Length: {}\r\n\r\n{text}", text.len())
}

/// A Prometheus server of the test: it has its own directory and port, and ends with the test.
struct Prometheus {
    server: Child,
    address: SocketAddr,
    _directory: TempDir,
}

impl Prometheus {
    fn start(server: &std::path::Path, program: SocketAddr) -> Result<Self> {
        let directory = TempDir::new()?;
        let [_, (rules, _)] = assets::all();
        let config = directory.path().join("prometheus.yml");
        std::fs::write(
            &config,
            format!(
                "global:\n  scrape_interval: 200ms\n  scrape_timeout: 200ms\n  evaluation_interval: 200ms\n\
                 rule_files: ['{}']\n\
                 scrape_configs:\n- job_name: program\n  static_configs:\n  - targets: ['{program}']\n",
                rules.canonicalize()?.display()
            ),
        )?;
        // The port is free now. If another program takes it meanwhile, the test fails.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let server = Command::new(server)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .current_dir(&directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { server, address, _directory: directory })
    }

    fn get(&self, path: &str) -> Result<Value> {
        let mut connection = TcpStream::connect(self.address)?;
        connection.set_read_timeout(Some(Duration::from_secs(120)))?;
        // HTTP/1.0, so that the answer comes in one piece.
        write!(connection, "GET {path} HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        let answer: Value =
            serde_json::from_str(body).map_err(|error| format!("{error}: {body}"))?;
        if answer["status"] == "success" { Ok(answer) } else { Err(answer.to_string().into()) }
    }

    fn ask(&self, expression: &str) -> Result<Vec<Value>> {
        let encoded: Vec<_> = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let encoded = encoded.concat();
        let answer = self.get(&format!("/api/v1/query?query={encoded}"))?;
        Ok(answer["data"]["result"].as_array().ok_or("no result")?.clone())
    }

    /// Returns the values of an expression.
    fn query(&self, expression: &str) -> Result<Vec<f64>> {
        self.ask(expression)?.iter().map(value).collect()
    }

    /// Returns the series that an expression selects, by name and labels as they are exported.
    fn series(&self, expression: &str) -> Result<BTreeMap<String, f64>> {
        let mut all = BTreeMap::new();
        for series in self.ask(expression)? {
            let labels = series["metric"].as_object().ok_or("no labels")?;
            let exported = |name: &str| !["__name__", "instance", "job"].contains(&name);
            let shown: Vec<_> = labels
                .iter()
                .filter(|(name, _)| exported(name))
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let name = labels["__name__"].as_str().ok_or("no name")?;
            all.insert(by_label(&format!("{name}{{{}}}", shown.join(","))), value(&series)?);
        }
        Ok(all)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // The server has nothing to save.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn value(series: &Value) -> Result<f64> {
    Ok(series["value"][1].as_str().ok_or("no value")?.parse()?)
}
