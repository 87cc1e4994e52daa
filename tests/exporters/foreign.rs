//! A meter of these tests, whose instruments call back where those of an SDK do not.

use limit_runtime::Limiter;
use limit_runtime::exporters::opentelemetry::observe;
use opentelemetry::metrics::{
    AsyncInstrument, AsyncInstrumentBuilder, Callback, Histogram, HistogramBuilder,
    InstrumentProvider, Meter, ObservableGauge, SyncInstrument,
};
use opentelemetry::{KeyValue, Value};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A function that receives a limiter and seconds.
type Tell = Arc<dyn Fn(&str, f64) + Send + Sync>;

/// A meter that hands the durations of holds to a function.
pub(crate) struct Foreign {
    tell: Tell,
    gauges: Mutex<Vec<Callback<u64>>>,
}

struct Instrument(Tell);

impl SyncInstrument<f64> for Instrument {
    fn measure(&self, sample: f64, labels: &[KeyValue]) {
        let [KeyValue { value: Value::String(limiter), .. }] = labels else {
            panic!("not just the limiter: {labels:?}");
        };
        (self.0)(limiter.as_str(), sample);
    }
}

struct Nothing;

impl AsyncInstrument<u64> for Nothing {
    fn observe(&self, _: u64, _: &[KeyValue]) {}
}

impl InstrumentProvider for Foreign {
    fn f64_histogram(&self, builder: HistogramBuilder<'_, Histogram<f64>>) -> Histogram<f64> {
        let is_holds = builder.name == "concurrency_limit.hold_time";
        let tell: Tell = if is_holds { Arc::clone(&self.tell) } else { Arc::new(|_, _| ()) };
        Histogram::new(Arc::new(Instrument(tell)))
    }

    fn u64_observable_gauge(
        &self,
        mut builder: AsyncInstrumentBuilder<'_, ObservableGauge<u64>, u64>,
    ) -> ObservableGauge<u64> {
        let callbacks = std::mem::take(&mut builder.callbacks);
        self.gauges.lock().unwrap_or_else(PoisonError::into_inner).extend(callbacks);
        ObservableGauge::new()
    }
}

impl Foreign {
    pub(crate) fn new(tell: impl Fn(&str, f64) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { tell: Arc::new(tell), gauges: Mutex::default() })
    }

    pub(crate) fn meter(self: &Arc<Self>) -> Meter {
        Meter::new(Arc::<Self>::clone(self))
    }

    /// Collects the gauges alone. A collection asks each gauge once.
    pub(crate) fn collect(&self) {
        for gauge in &*self.gauges.lock().unwrap_or_else(PoisonError::into_inner) {
            gauge(&Nothing);
        }
    }
}

#[test]
fn instrument_may_use_the_limiter_itself_and_may_panic() {
    static LIMITER: Limiter = Limiter::new("foreign::holds", 1);
    static WAS_FREE: AtomicBool = AtomicBool::new(false);

    let foreign = Foreign::new(|limiter, _| {
        if limiter == LIMITER.name() {
            WAS_FREE.store(LIMITER.try_acquire().is_ok(), Ordering::Relaxed);
            panic!("as the test wants it");
        }
    });
    let observation = observe(&foreign.meter());
    let permit = LIMITER.try_acquire().expect("it is free");
    // The first call of a thread is one that is sampled.
    catch_unwind(AssertUnwindSafe(|| drop(permit))).expect_err("the instrument panics");
    assert!(WAS_FREE.load(Ordering::Relaxed));
    assert_eq!(LIMITER.snapshot().total.in_use, 0);
    assert!(LIMITER.holders().is_empty());
    drop(observation);
}

#[test]
fn each_observation_is_told_all_from_the_start_and_nothing_after_its_end() {
    static LIMITER: Limiter = Limiter::new("foreign::ended", 1);

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
    // The first call of a thread is one that is sampled.
    let hold = || {
        std::thread::scope(|scope| drop(scope.spawn(|| drop(LIMITER.try_acquire())).join()));
    };
    let ((one, first), (other, second)) = (told(), told());
    hold();
    let observation = observe(&first.meter());
    assert_eq!(one.told().0, 1, "before it has collected anything");
    hold();
    assert_eq!(one.told().0, 2);
    drop(observation);
    hold();
    first.collect();
    assert_eq!(one.told().0, 2, "it has ended");
    let _observation = observe(&second.meter());
    assert_eq!(other.told().0, 3);
    hold();
    second.collect();
    assert_eq!((one.told().0, other.told().0), (2, 4));
}

/// The number of holds that were reported, and their nanoseconds.
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

    /// Returns the number of holds and their seconds.
    pub(crate) fn told(&self) -> (u64, f64) {
        let sum = crate::support::number(self.sum.load(Ordering::Relaxed)) / 1e9;
        (self.count.load(Ordering::Relaxed), sum)
    }
}
