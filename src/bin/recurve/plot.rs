//! The plot of a run: training and validation perplexity over steps, and the best n-gram as a line to get below.

use std::ops::Range;

use plotters::coord::ranged1d::Ranged;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use recurve::host::baseline::OrderReport;

use crate::failure::Failure;
use crate::past::Point;
use crate::report::grouped;

const SIZE: (u32, u32) = (960, 560);
pub const TRAIN: RGBColor = RGBColor(0x1f, 0x77, 0xb4);
pub const VALID: RGBColor = RGBColor(0xd6, 0x27, 0x28);
const N_GRAM: RGBColor = RGBColor(0x55, 0x55, 0x55);

/// Room for the legend above all curves, as a share of their height.
pub const LEGEND: f64 = 0.35;

/// What is drawn.
pub struct Picture<'a> {
    pub title: &'a str,
    pub curve: &'a [Point],
    pub best_n_gram: Option<OrderReport>,
}

impl Picture<'_> {
    fn train(&self) -> Points {
        drawable(self.curve.iter().map(|point| (point.step, Some(point.train))))
    }

    fn valid(&self) -> Points {
        drawable(self.curve.iter().map(|point| (point.step, point.valid)))
    }
}

fn drawable(points: impl Iterator<Item = (u64, Option<f32>)>) -> Points {
    let finite = points.filter_map(|(step, y)| Some((step as f64, f64::from(y?))));
    finite.filter(|(_, y)| y.is_finite()).collect()
}

/// Round numbers within a range: all digits of a short one, 1, 2 and 5 of a long one, powers of ten beyond.
fn ticks(range: &Range<f64>) -> Vec<f64> {
    let decades = (range.end / range.start).log10();
    let digits: &[f64] = match decades {
        0.0..1.2 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
        1.2..4.0 => &[1.0, 2.0, 5.0],
        _ => &[1.0],
    };
    let powers =
        (range.start.log10().floor() as i32..=range.end.log10().ceil() as i32).map(|n| 10_f64.powi(n));
    let all = powers.flat_map(|power| digits.iter().map(move |digit| digit * power));
    all.filter(|tick| range.contains(tick)).collect()
}

/// The picture as SVG.
pub fn svg(picture: &Picture<'_>) -> Result<String, Failure> {
    render(|area| draw(picture, area))
}

/// What `draw` draws, as SVG.
pub fn render(draw: impl FnOnce(&Area<'_>) -> Result<(), DrawError>) -> Result<String, Failure> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
    draw(&area).map_err(|error| Failure::new(format!("cannot draw the plot: {error}")))?;
    drop(area);
    Ok(svg)
}

pub type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
pub type Points = Vec<(f64, f64)>;
type Chart<'a, 'b, X, Y> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<X, Y>>;
pub type DrawError = DrawingAreaErrorKind<<SVGBackend<'static> as DrawingBackend>::ErrorType>;

/// An axis of numbers, linear or logarithmic.
pub trait Axis: Ranged<ValueType = f64> {}

impl<T: Ranged<ValueType = f64>> Axis for T {}

fn draw(picture: &Picture<'_>, area: &Area<'_>) -> Result<(), DrawError> {
    let (train, valid) = (picture.train(), picture.valid());
    let steps = picture.curve.last().map_or(1.0, |point| point.step as f64);
    let n_gram = picture.best_n_gram.map(|report| report.perplexity);
    let heights = train.iter().chain(&valid).map(|&(_, y)| y).chain(n_gram);
    let (low, high) =
        heights.fold((f64::INFINITY, 1.0), |(low, high), y| (f64::min(low, y), f64::max(high, y)));
    let low = low.min(high) / 1.15;
    let range = low..(high * (high / low).powf(LEGEND) * 1.15);

    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(area)
        .caption(picture.title, ("sans-serif", 22))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..steps, range.clone().log_scale().with_key_points(ticks(&range)))?;
    chart
        .configure_mesh()
        .x_desc("steps")
        .y_desc("perplexity")
        .x_label_formatter(&|step| grouped(step.round() as u64))
        .y_label_formatter(&|perplexity| perplexity.to_string())
        .x_labels(8)
        .axis_desc_style(("sans-serif", 16))
        .label_style(("sans-serif", 14))
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .draw()?;
    for (points, color, label) in [(train, TRAIN, "training"), (valid, VALID, "validation")] {
        if points.is_empty() {
            continue;
        }
        if points.len() < 3 {
            chart.draw_series(points.iter().map(|&at| Circle::new(at, 3, color.filled())))?;
        }
        line(&mut chart, points, color, label)?;
    }
    if let Some(report) = picture.best_n_gram {
        let label = format!("best n-gram: order {}, {:.2}", report.order, report.perplexity);
        let y = report.perplexity;
        dashes(&mut chart, vec![(0.0, y), (steps, y)], N_GRAM, &label)?;
    }
    legend(&mut chart, SeriesLabelPosition::UpperRight)?;
    area.present()
}

/// A line, and what the legend says of it.
pub fn line<X: Axis, Y: Axis>(
    chart: &mut Chart<'_, '_, X, Y>,
    points: Points,
    color: RGBColor,
    label: &str,
) -> Result<(), DrawError> {
    chart
        .draw_series(LineSeries::new(points, color.stroke_width(2)))?
        .label(label)
        .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], color.stroke_width(2)));
    Ok(())
}

/// A dashed line, and what the legend says of it.
pub fn dashes<X: Axis, Y: Axis>(
    chart: &mut Chart<'_, '_, X, Y>,
    points: Points,
    color: RGBColor,
    label: &str,
) -> Result<(), DrawError> {
    chart
        .draw_series(DashedLineSeries::new(points, 6, 4, color.stroke_width(2)))?
        .label(label)
        .legend(move |(x, y)| DashedPathElement::new([(x, y), (x + 22, y)], 6, 4, color.stroke_width(2)));
    Ok(())
}

/// The legend, in an upper corner: it hides nothing if [`LEGEND`] leaves it room.
pub fn legend<'a, 'b: 'a, X: Axis, Y: Axis>(
    chart: &mut Chart<'a, 'b, X, Y>,
    corner: SeriesLabelPosition,
) -> Result<(), DrawError> {
    chart
        .configure_series_labels()
        .position(corner)
        .margin(12)
        .label_font(("sans-serif", 15))
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK.mix(0.3))
        .draw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_ticks() {
        assert_eq!(ticks(&(3.5..42.0)), [4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0, 20.0, 30.0, 40.0]);
        assert_eq!(ticks(&(0.9..120.0)), [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]);
        assert!(ticks(&(1.0..1e30)).len() == 30);
    }
}
