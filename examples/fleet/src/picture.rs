//! The picture of a run: how many calls each worker runs, over time.

use crate::fleet::Run;
use crate::worker::LIMIT;
use anyhow::{Result, anyhow};
use plotters::prelude::*;
use std::path::Path;

/// The colours of the workers. They differ in lightness as well.
const COLOURS: [RGBColor; 4] =
    [RGBColor(0, 90, 160), RGBColor(230, 159, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167)];

/// Draws the run as SVG.
pub(crate) fn draw(run: &Run, path: &Path) -> Result<()> {
    draw_chart(run, path).map_err(|error| anyhow!("the picture cannot be drawn: {error}"))
}

fn draw_chart(run: &Run, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    #[expect(clippy::cast_precision_loss, reason = "a run takes less than a minute")]
    let seconds = |at: u64| at.saturating_sub(run.began) as f64 / 1e6;
    let end = run.steps.last().map_or(1.0, |step| seconds(step.at));
    let area = SVGBackend::new(path, (960, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Four processes, one limit of 10", ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(40)
        .build_cartesian_2d(0.0..end, 0.0..16.0)?;
    chart.configure_mesh().x_desc("seconds").y_desc("calls that run").disable_x_mesh().draw()?;
    for (worker, colour) in COLOURS.iter().enumerate().rev() {
        // Stacked: the area of a worker reaches down behind those before it.
        let mut points = Vec::new();
        let mut before = 0.0;
        for step in &run.steps {
            let height = f64::from(step.running[..=worker].iter().sum::<u32>());
            if height.total_cmp(&before).is_ne() {
                points.extend([(seconds(step.at), before), (seconds(step.at), height)]);
                before = height;
            }
        }
        points.push((end, before));
        chart
            .draw_series(AreaSeries::new(points, 0.0, colour.filled()))?
            .label(format!("worker {worker}"))
            .legend(|(x, y)| Rectangle::new([(x, y - 5), (x + 10, y + 5)], colour.filled()));
    }
    #[expect(clippy::cast_precision_loss, reason = "the limit is 10")]
    let limit = LIMIT as f64;
    chart.draw_series(LineSeries::new([(0.0, limit), (end, limit)], BLACK.stroke_width(2)))?;
    for event in &run.events {
        let x = seconds(event.at);
        chart.draw_series(LineSeries::new([(x, 0.0), (x, 11.0)], BLACK.stroke_width(1)))?;
        let style = ("sans-serif", 14).into_font();
        chart.draw_series([Text::new(event.text, (x + 0.1, 11.4), style)])?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    Ok(())
}
