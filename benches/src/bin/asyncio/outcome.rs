//! The figures that one process reports of its calls.

use serde_json::Value;

/// One run of one contender.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) calls_a_second: f64,
    /// The highest count of calls that were in the body at the same time.
    pub(crate) most_at_once: u64,
    /// The peak memory before the first call and after the last, in KiB. `None` where the system
    /// does not report it.
    pub(crate) before_kib: Option<f64>,
    pub(crate) peak_kib: Option<f64>,
    /// The time that a sleep of 1 ms takes alone. `None` where the body does not sleep.
    pub(crate) lone_sleep_ms: Option<f64>,
    pub(crate) versions: Vec<(String, String)>,
}

impl Outcome {
    /// Reads the last line that a process printed, and checks that no call is missing.
    pub(crate) fn read(printed: &str, calls: u32) -> Result<Self, String> {
        let line = printed.trim().lines().last().unwrap_or_default();
        let value: Value =
            serde_json::from_str(line).map_err(|error| format!("printed no outcome: {error}"))?;
        let missing = |what: &str| format!("printed an outcome without `{what}`");
        let results = value["results"].as_u64().ok_or_else(|| missing("results"))?;
        if results != u64::from(calls) {
            return Err(format!("{results} of {calls} calls gave a result"));
        }
        let seconds = value["seconds"].as_f64().filter(|seconds| *seconds > 0.0);
        let versions = value["versions"].as_object().ok_or_else(|| missing("versions"))?;
        let text = |version: &Value| version.as_str().unwrap_or("unknown").to_owned();
        Ok(Self {
            calls_a_second: f64::from(calls) / seconds.ok_or_else(|| missing("seconds"))?,
            most_at_once: value["most_at_once"].as_u64().ok_or_else(|| missing("most_at_once"))?,
            before_kib: value["before_kib"].as_f64(),
            peak_kib: value["peak_kib"].as_f64(),
            lone_sleep_ms: value["lone_sleep_ms"].as_f64(),
            versions: versions.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        })
    }

    /// Returns a message if more calls were in the body than the limit allows.
    pub(crate) fn passed(&self, limit: u32) -> Option<String> {
        (self.most_at_once > u64::from(limit))
            .then(|| format!("limit of {limit} passed: {} calls at once", self.most_at_once))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"results": 500, "seconds": 0.25, "most_at_once": 7,
        "before_kib": 1024, "peak_kib": null, "lone_sleep_ms": 1.5, "versions": {"It": "1.2"}}"#;

    fn line() -> String {
        LINE.replace('\n', "")
    }

    #[test]
    fn the_last_line_is_read() {
        let outcome = Outcome::read(&format!("a warning\n{}\n", line()), 500);
        let expected = Outcome {
            calls_a_second: 2_000.0,
            most_at_once: 7,
            before_kib: Some(1_024.0),
            peak_kib: None,
            lone_sleep_ms: Some(1.5),
            versions: vec![("It".to_owned(), "1.2".to_owned())],
        };
        assert_eq!(outcome, Ok(expected));
    }

    #[test]
    fn what_is_no_outcome_is_refused() {
        let why = |printed: &str| Outcome::read(printed, 500).unwrap_err();
        assert!(why("").starts_with("printed no outcome: "));
        assert!(why("Traceback").starts_with("printed no outcome: "));
        assert_eq!(why("{}"), "printed an outcome without `results`");
        assert_eq!(why(&line().replace("0.25", "0")), "printed an outcome without `seconds`");
        assert_eq!(why(&line().replace("500", "499")), "499 of 500 calls gave a result");
    }

    #[test]
    fn a_limit_that_was_passed_is_an_error() {
        let outcome = Outcome::read(&line(), 500).expect("an outcome");
        assert_eq!(outcome.passed(7), None);
        assert_eq!(outcome.passed(6).as_deref(), Some("limit of 6 passed: 7 calls at once"));
    }
}
