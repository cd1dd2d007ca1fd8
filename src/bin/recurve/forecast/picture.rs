//! The plot of a forecast: the end of the series as it was and as it was expected, and what is expected next.

use plotters::prelude::*;

use recurve::ModelShape;
use recurve::cell::AnyCell;

use crate::failure::Failure;
use crate::plot::{self, Area, DrawError, Points, TRAIN, VALID};
use crate::report;

/// What is drawn.
pub struct Picture<'a> {
    pub column: &'a str,
    pub shape: ModelShape<AnyCell>,
    pub series: &'a [f64],
    /// Where the held-out end begins.
    pub from: usize,
    /// A row for each held-out value with a whole horizon.
    pub forecasts: &'a [f64],
    pub next: &'a [f64],
}

impl Picture<'_> {
    /// The picture as SVG.
    pub fn svg(&self) -> Result<String, Failure> {
        plot::render(|area| self.draw(area))
    }

    /// The series, with as much before its held-out end as is held out.
    fn truth(&self) -> Points {
        let first = self.from - self.from.min(self.series.len() - self.from);
        at(first, &self.series[first..])
    }

    /// Each held-out value as it was expected one horizon before at most: one row, then the one after all its values.
    fn forecast(&self) -> Points {
        let horizon = self.shape.outputs;
        let rows = self.forecasts.chunks(horizon).enumerate().step_by(horizon);
        rows.flat_map(|(i, row)| at(self.from + i, row)).collect()
    }

    fn next(&self) -> Points {
        let last = self.series.len() - 1;
        [at(last, &self.series[last..]), at(last + 1, self.next)].concat()
    }

    fn draw(&self, area: &Area<'_>) -> Result<(), DrawError> {
        let (truth, forecast, next) = (self.truth(), self.forecast(), self.next());
        let all = || truth.iter().chain(&forecast).chain(&next);
        let (low, high) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &(_, y)| {
            (f64::min(low, y), f64::max(high, y))
        });
        let margin = ((high - low) * 0.08).max(high.abs().max(1.0) * 1e-6);
        let top = high + (high - low + 2.0 * margin) * plot::LEGEND;
        let (first, last) = (truth[0].0, (self.series.len() + self.shape.outputs) as f64);

        area.fill(&WHITE)?;
        let (column, horizon) = (self.column, self.shape.outputs);
        let title = format!("{column}: {}, horizon {horizon}", report::layers(self.shape.cell));
        let mut chart = ChartBuilder::on(area)
            .caption(title, ("sans-serif", 22))
            .margin(16)
            .x_label_area_size(44)
            .y_label_area_size(72)
            .build_cartesian_2d(first..last, low - margin..top)?;
        chart
            .configure_mesh()
            .x_desc("value")
            .y_desc(column)
            .axis_desc_style(("sans-serif", 16))
            .label_style(("sans-serif", 14))
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .draw()?;
        for (points, color, label) in [(truth, TRAIN, "truth"), (forecast, VALID, "forecast")] {
            plot::line(&mut chart, points, color, label)?;
        }
        plot::dashes(&mut chart, next, VALID, "next")?;
        plot::legend(&mut chart, SeriesLabelPosition::UpperLeft)?;
        area.present()
    }
}

/// Values as points from an index on.
fn at(first: usize, values: &[f64]) -> Points {
    (first..).map(|t| t as f64).zip(values.iter().copied()).collect()
}
