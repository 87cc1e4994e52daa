//! A meter of the tests' own, whose instruments do what an SDK's do not.

use limit_exporters::opentelemetry::observe;
use limit_runtime::Limiter;
use opentelemetry::metrics::{
    AsyncInstrument, AsyncInstrumentBuilder, Callback, Histogram, HistogramBuilder,
    InstrumentProvider, Meter, ObservableGauge, ObservableUpDownCounter, SyncInstrument,
};
use opentelemetry::{KeyValue, Value};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

/// Receives each hold: the limiter's name, and seconds.
type Tell = Arc<dyn Fn(&str, f64) + Send + Sync>;

/// Runs a callback. Returns the values that it observes, by limiter.
type Observe = Arc<dyn Fn() -> BTreeMap<String, u64> + Send + Sync>;

/// A meter that hands holds to a function, and whose gauges and up-down counters are asked one by one.
pub(crate) struct Foreign {
    tell: Tell,
    observed: Mutex<BTreeMap<String, Observe>>,
}

struct Instrument(Tell);

impl SyncInstrument<f64> for Instrument {
    fn measure(&self, sample: f64, labels: &[KeyValue]) {
        (self.0)(&limiter(labels), sample);
    }
}

fn limiter(labels: &[KeyValue]) -> String {
    let [KeyValue { value: Value::String(limiter), .. }] = labels else {
        panic!("not just the limiter: {labels:?}");
    };
    limiter.as_str().to_owned()
}

#[derive(Default)]
struct Observed(Mutex<BTreeMap<String, u64>>);

impl Observed {
    fn put(&self, labels: &[KeyValue], value: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(limiter(labels), value);
    }
}

impl AsyncInstrument<u64> for Observed {
    fn observe(&self, value: u64, labels: &[KeyValue]) {
        self.put(labels, value);
    }
}

impl AsyncInstrument<i64> for Observed {
    fn observe(&self, value: i64, labels: &[KeyValue]) {
        self.put(labels, value.try_into().expect("none is negative"));
    }
}

impl InstrumentProvider for Foreign {
    fn f64_histogram(&self, builder: HistogramBuilder<'_, Histogram<f64>>) -> Histogram<f64> {
        let is_holds = builder.name == "concurrency_limit.hold_time";
        let tell: Tell = if is_holds { Arc::clone(&self.tell) } else { Arc::new(|_, _| ()) };
        Histogram::new(Arc::new(Instrument(tell)))
    }

    fn u64_observable_gauge(
        &self,
        builder: AsyncInstrumentBuilder<'_, ObservableGauge<u64>, u64>,
    ) -> ObservableGauge<u64> {
        self.add(&builder.name, builder.callbacks);
        ObservableGauge::new()
    }

    fn i64_observable_up_down_counter(
        &self,
        builder: AsyncInstrumentBuilder<'_, ObservableUpDownCounter<i64>, i64>,
    ) -> ObservableUpDownCounter<i64> {
        self.add(&builder.name, builder.callbacks);
        ObservableUpDownCounter::new()
    }
}

impl Foreign {
    pub(crate) fn new(tell: impl Fn(&str, f64) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { tell: Arc::new(tell), observed: Mutex::default() })
    }

    pub(crate) fn meter(self: &Arc<Self>) -> Meter {
        Meter::new(Arc::<Self>::clone(self))
    }

    fn add<T: 'static>(&self, metric: &str, callbacks: Vec<Callback<T>>)
    where
        Observed: AsyncInstrument<T>,
    {
        let observe = move || {
            let observed = Observed::default();
            for callback in &callbacks {
                callback(&observed);
            }
            observed.0.into_inner().unwrap_or_else(PoisonError::into_inner)
        };
        let mut all = self.observed.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(metric.to_owned(), Arc::new(observe));
    }

    /// Asks one instrument, as a part of a collection.
    fn ask(&self, metric: &str) -> BTreeMap<String, u64> {
        let all = self.observed.lock().unwrap_or_else(PoisonError::into_inner);
        let observe = Arc::clone(&all[metric]);
        drop(all);
        observe()
    }

    /// A collection in which one instrument is asked: so each time it is another.
    pub(crate) fn collect(&self) {
        self.ask(LIMIT);
    }
}

const LIMIT: &str = "concurrency_limit.permit.limit";
const USAGE: &str = "concurrency_limit.permit.usage";

/// Makes a call of which the hold is counted: the first of a thread.
fn hold(limiter: &Limiter) {
    std::thread::scope(|scope| drop(scope.spawn(|| drop(limiter.try_acquire())).join()));
}

#[test]
fn instrument_may_use_the_limiter_itself_and_may_panic() {
    static LIMITERS: [Limiter; 2] =
        [Limiter::new("foreign::holds-a", 1), Limiter::new("foreign::holds-b", 1)];
    static WAS_FREE: AtomicBool = AtomicBool::new(false);

    limit_runtime::diagnostics::record(true);
    let told = Arc::new(Mutex::new(Vec::new()));
    let foreign = Foreign::new({
        let told = Arc::clone(&told);
        move |limiter, _| {
            let Some(limiter) = LIMITERS.iter().find(|known| known.name() == limiter) else {
                return;
            };
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            told.push(limiter.name());
            WAS_FREE.store(limiter.try_acquire().is_ok(), Ordering::Relaxed);
            assert!(told.len() > 1, "the first panics, as the test wants it");
        }
    });
    let told = || {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        told.sort_unstable();
        told
    };
    let observation = observe(&foreign.meter());
    // The first call of a thread is counted, and so the instrument's own calls are not.
    for limiter in &LIMITERS {
        drop(limiter.try_acquire());
    }
    assert!(told().is_empty(), "a call records nothing");
    let collect = || catch_unwind(AssertUnwindSafe(|| foreign.collect()));
    collect().expect_err("the instrument panics");
    assert!(WAS_FREE.load(Ordering::Relaxed));
    assert_eq!(told().len(), 1);
    for _ in 0..2 {
        collect().expect("it panics once");
        let names = LIMITERS.each_ref().map(Limiter::name);
        assert_eq!(told(), names, "the other sample is not lost, the first is not told again");
    }
    assert!(LIMITERS.iter().all(|limiter| limiter.snapshot().total.in_use == 0));
    assert!(LIMITERS.iter().all(|limiter| limiter.holders().is_empty()));
    drop(observation);
}

#[test]
fn each_observation_is_told_all_from_the_start_and_nothing_after_its_end() {
    static LIMITER: Limiter = Limiter::new("foreign::ended", 1);

    limit_runtime::diagnostics::record(true);
    let told = || {
        let holds = Arc::new(Holds::default());
        let of_test = Arc::clone(&holds);
        let foreign = Foreign::new(move |limiter, seconds| {
            if limiter == LIMITER.name() {
                of_test.tell(seconds);
            }
        });
        (holds, foreign)
    };
    let ((one, first), (other, second)) = (told(), told());
    hold(&LIMITER);
    let observation = observe(&first.meter());
    first.collect();
    assert_eq!(one.told().0, 1, "from before the observation");
    hold(&LIMITER);
    assert_eq!(one.told().0, 1, "a call records nothing");
    first.collect();
    first.collect();
    assert_eq!(one.told().0, 2);
    hold(&LIMITER);
    drop(observation);
    assert_eq!(one.told().0, 3, "the end records what no collection has");
    hold(&LIMITER);
    first.collect();
    assert_eq!(one.told().0, 3, "it has ended");
    let _observation = observe(&second.meter());
    second.collect();
    assert_eq!(other.told().0, 4);
    hold(&LIMITER);
    second.collect();
    assert_eq!((one.told().0, other.told().0), (3, 5));
}

#[test]
fn instrument_that_collects_while_it_is_told_does_not_wait_for_itself() {
    static LIMITER: Limiter = Limiter::new("foreign::collects", 1);
    static FOREIGN: Mutex<Option<Arc<Foreign>>> = Mutex::new(None);

    limit_runtime::diagnostics::record(true);
    let told = Arc::new(Holds::default());
    let foreign = Foreign::new({
        let told = Arc::clone(&told);
        move |limiter, seconds| {
            if limiter == LIMITER.name() {
                let foreign = FOREIGN.lock().expect("no panic").clone().expect("it is there");
                assert!(foreign.ask(LIMIT).is_empty(), "the reading is in use");
                told.tell(seconds);
            }
        }
    });
    *FOREIGN.lock().expect("no panic") = Some(Arc::clone(&foreign));
    let _observation = observe(&foreign.meter());
    hold(&LIMITER);
    assert_eq!(foreign.ask(LIMIT)[LIMITER.name()], 1);
    assert_eq!(told.told().0, 1);
    hold(&LIMITER);
    assert_eq!(foreign.ask(LIMIT)[LIMITER.name()], 1);
    assert_eq!(told.told().0, 2);
}

#[test]
fn collections_that_overlap_leave_no_old_figures_for_the_next() {
    static LIMITER: Limiter = Limiter::new("foreign::overlap", 1);

    let foreign = Foreign::new(|_, _| ());
    let _observation = observe(&foreign.meter());
    let ask = |metric| foreign.ask(metric)[LIMITER.name()];
    let permit = LIMITER.try_acquire();
    std::thread::scope(|scope| {
        let (to_other, asked) = mpsc::channel();
        let (answer, answers) = mpsc::channel();
        scope.spawn(move || {
            for metric in asked {
                answer.send(ask(metric)).expect("the test waits");
            }
        });
        let other = |metric| {
            to_other.send(metric).expect("it runs");
            answers.recv().expect("it answers")
        };
        // Two readers collect at the same time, in step.
        assert_eq!([ask(LIMIT), other(LIMIT), ask(USAGE), other(USAGE)], [1; 4]);
        LIMITER.set_limit(2);
        assert_eq!([ask(LIMIT), ask(USAGE)], [2, 1]);
        drop(permit);
        assert_eq!([other(LIMIT), other(USAGE)], [2, 0]);
        // All figures of one collection are from one moment, also if another begins meanwhile.
        assert_eq!(ask(LIMIT), 2);
        LIMITER.set_limit(3);
        let permit = LIMITER.try_acquire();
        assert_eq!([other(LIMIT), ask(USAGE), other(USAGE)], [3, 0, 1]);
        drop(permit);
        drop(to_other);
    });
}

/// The holds that an instrument was told: their number, and nanoseconds.
#[derive(Default)]
pub(crate) struct Holds {
    count: AtomicU64,
    sum: AtomicU64,
}

impl Holds {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and small enough"
    )]
    pub(crate) fn tell(&self, seconds: f64) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add((seconds * 1e9).round() as u64, Ordering::Relaxed);
    }

    /// Returns the number of holds, and their sum in seconds.
    pub(crate) fn told(&self) -> (u64, f64) {
        let sum = crate::support::number(self.sum.load(Ordering::Relaxed)) / 1e9;
        (self.count.load(Ordering::Relaxed), sum)
    }
}
