//! The mean of the outputs of a stream, step by step.

/// The mean of the outputs so far: what [`Readout::Mean`](super::Readout::Mean) trains, where readings come one by one.
///
/// ```
/// use recurve::loss::RunningMean;
///
/// let mut mean = RunningMean::<2>::default();
/// mean.add(&[1.0, 2.0]); // after each `Model::step`, its logits
/// mean.add(&[3.0, 0.0]);
/// let mut logits = [0.0; 2];
/// mean.value(&mut logits);
/// assert_eq!(logits, [2.0, 1.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RunningMean<const O: usize> {
    sum: [f32; O],
    steps: u32,
}

impl<const O: usize> Default for RunningMean<O> {
    fn default() -> Self {
        Self { sum: [0.0; O], steps: 0 }
    }
}

impl<const O: usize> RunningMean<O> {
    /// Counts the outputs of a step.
    pub fn add(&mut self, outputs: &[f32; O]) {
        self.sum.iter_mut().zip(outputs).for_each(|(sum, o)| *sum += o);
        self.steps = self.steps.saturating_add(1);
    }

    /// The mean; of no steps, zeros.
    pub fn value(&self, mean: &mut [f32; O]) {
        #[expect(clippy::cast_precision_loss, reason = "a count above 2²⁴ may lose its last digits")]
        let share = 1.0 / self.steps.max(1) as f32;
        mean.iter_mut().zip(&self.sum).for_each(|(mean, sum)| *mean = sum * share);
    }

    /// Forgets all steps, for the next sequence.
    pub fn clear(&mut self) {
        self.sum.fill(0.0);
        self.steps = 0;
    }
}
