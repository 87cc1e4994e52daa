//! A picture of one run: the limit, the calls in flight, the backend's queue, and the ideal limit.

use std::fmt::Write as _;

use crate::scenarios::Scenario;

/// So many points a line has.
pub(crate) const POINTS: usize = 600;

const LEFT: f64 = 60.0;
const TOP: f64 = 70.0;
const WIDTH: f64 = 1_200.0;
const HEIGHT: f64 = 300.0;
const STYLE: &str = "<style>text{font:22px sans-serif;fill:#444}path{fill:none;stroke-width:3}\
    .ideal{stroke:#888;stroke-dasharray:10 6}.limit{stroke:#2f74d0}.flight{stroke:#2c9c5a}\
    .queue{stroke:#d9772b}.grid{stroke:#8884;stroke-width:1}\
    @media(prefers-color-scheme:dark){text{fill:#ccc}.limit{stroke:#6aa5f2}.flight{stroke:#55c585}\
    .queue{stroke:#f09a55}}</style>";
/// The class of each line, where it stands, and what it is.
const LEGEND: [(&str, f64, &str); 4] = [
    ("limit", 0.0, "limit"),
    ("flight", 160.0, "in flight"),
    ("queue", 360.0, "queue in the backend"),
    ("ideal", 680.0, "ideal limit"),
];

/// `points` are the limit, the calls in flight and the queue, at equal distances.
pub(crate) fn draw(scenario: &Scenario, points: &[[f64; 3]]) -> String {
    let ideal: Vec<f64> = ideal(scenario, points.len());
    let most = points.iter().map(|point| point[0].max(point[1])).chain(ideal.iter().copied());
    let most = round_up(most.fold(1.0, f64::max));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\">\n<title>{}</title>\n{STYLE}\n",
        LEFT + WIDTH + 50.0,
        TOP + HEIGHT + 40.0,
        scenario.about,
    );
    text(&mut svg, LEFT, 26.0, "start", scenario.about);
    for (class, x, name) in LEGEND {
        let x = LEFT + x;
        let _ = writeln!(svg, "<path class=\"{class}\" d=\"M{x} 50h40\"/>");
        text(&mut svg, x + 48.0, 57.0, "start", name);
    }
    for part in 0..=4_u32 {
        let share = f64::from(part) / 4.0;
        let y = TOP + HEIGHT * (1.0 - share);
        let _ = writeln!(svg, "<path class=\"grid\" d=\"M{LEFT} {y}h{WIDTH}\"/>");
        text(&mut svg, LEFT - 8.0, y + 7.0, "end", &format!("{}", most * share));
        let x = LEFT + WIDTH * share;
        text(&mut svg, x, TOP + HEIGHT + 28.0, "middle", &seconds(scenario.end * share));
    }
    let mut line = |class: &str, value: &dyn Fn(usize) -> f64| {
        let _ =
            writeln!(svg, "<path class=\"{class}\" d=\"{}\"/>", path(points.len(), most, value));
    };
    line("queue", &|index| points[index][2]);
    line("flight", &|index| points[index][1]);
    line("ideal", &|index| ideal[index]);
    line("limit", &|index| points[index][0]);
    svg.push_str("</svg>\n");
    svg
}

/// The ideal limits of all limiters together.
fn ideal(scenario: &Scenario, points: usize) -> Vec<f64> {
    let schedule = scenario.ideal();
    let at = |index: usize| {
        let now = scenario.end * crate::number::count(index) / crate::number::count(points);
        let limit =
            schedule.iter().rev().find(|(from, _)| *from <= now).map_or(0, |(_, limit)| *limit);
        let limiters = scenario.limiters.iter().filter(|start| **start <= now).count();
        f64::from(limit) * crate::number::count(limiters)
    };
    (0..points).map(at).collect()
}

/// A line, in whole pixels, each relative to the one before.
fn path(points: usize, most: f64, value: &dyn Fn(usize) -> f64) -> String {
    let y = |index: usize| (TOP + HEIGHT * (1.0 - (value(index) / most).min(1.0))).round();
    let step = WIDTH / crate::number::count(points.max(1));
    let mut path = format!("M{LEFT} {}", y(0));
    let mut level = 0.0;
    for index in 1..points {
        level += step;
        let change = y(index) - y(index - 1);
        // A stretch without a change is one line.
        if change.abs() > 0.5 || index + 1 == points {
            let _ = write!(path, "h{level}v{change}");
            level = 0.0;
        }
    }
    path
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>");
}

fn seconds(seconds: f64) -> String {
    if seconds >= 1_000.0 { format!("{:.0} min", seconds / 60.0) } else { format!("{seconds} s") }
}

/// Rounds up to a number that is easily divided by four.
fn round_up(most: f64) -> f64 {
    let steps =
        [4.0, 8.0, 12.0, 20.0, 40.0, 60.0, 80.0, 120.0, 200.0, 400.0, 600.0, 800.0, 1_000.0];
    steps.into_iter().find(|step| *step >= most).unwrap_or(most)
}
