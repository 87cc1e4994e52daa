//! The dashboard: which limiter, since when, and what changed.

mod json;
mod panels;

pub(super) use json::dashboard;

/// The labels of the series that the dashboard's variables select.
const CHOSEN: &str = "limiter=~\"$limiter\",job=~\"$job\",instance=~\"$instance\"";

/// The limiters that a panel of the worst ones shows.
const WORST: usize = 10;

/// A row of panels.
struct Row {
    title: &'static str,
    /// Collapsed rows ask nothing until they are opened.
    collapsed: bool,
    panels: Vec<Panel>,
}

struct Panel {
    title: &'static str,
    description: &'static str,
    unit: &'static str,
    form: Form,
    /// The columns of the 24 that it takes, and its height.
    size: (u32, u32),
    /// Values from which on it is yellow, and red.
    thresholds: Option<(f64, f64)>,
    targets: Vec<Target>,
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Lines,
    Stacked,
    /// One number.
    Number,
    /// A row for each limiter, a column for each query.
    Table,
    Heatmap,
}

struct Target {
    expression: String,
    /// The legend of its series, or the name of its column.
    called: String,
    /// The unit of its column, if it is another than the panel's.
    unit: Option<&'static str>,
    /// Values from which on its column is yellow, and red.
    thresholds: Option<(f64, f64)>,
}

impl Panel {
    fn new(form: Form, title: &'static str, description: &'static str, unit: &'static str) -> Self {
        let size = match form {
            Form::Lines | Form::Stacked | Form::Heatmap => (12, 8),
            Form::Number => (4, 4),
            Form::Table => (24, 9),
        };
        Self { title, description, unit, form, size, thresholds: None, targets: Vec::new() }
    }

    fn lines(title: &'static str, description: &'static str, unit: &'static str) -> Self {
        Self::new(Form::Lines, title, description, unit)
    }

    fn stacked(title: &'static str, description: &'static str, unit: &'static str) -> Self {
        Self::new(Form::Stacked, title, description, unit)
    }

    fn thresholds(mut self, yellow: f64, red: f64) -> Self {
        self.thresholds = Some((yellow, red));
        self
    }

    fn show(mut self, expression: impl Into<String>, called: impl Into<String>) -> Self {
        let (expression, called) = (expression.into(), called.into());
        self.targets.push(Target { expression, called, unit: None, thresholds: None });
        self
    }

    fn column(
        mut self,
        expression: String,
        called: &str,
        unit: &'static str,
        thresholds: Option<(f64, f64)>,
    ) -> Self {
        let called = called.to_owned();
        self.targets.push(Target { expression, called, unit: Some(unit), thresholds });
        self
    }
}
