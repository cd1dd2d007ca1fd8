//! Three steps of training of the gated recurrent unit as in its paper, whose reset gate comes before the product. `PyTorch`
//! does not have it, so the f64 reference says what weights, losses, norms and states come out.

#[allow(dead_code, reason = "each test crate uses its part of the helpers")]
mod common;
#[allow(dead_code, reason = "each test crate uses its part of the reference")]
mod reference;

use recurve::cell::TypedCell;
use recurve::format::StoredCell;
use recurve::optim::global_norm;
use recurve::params::Flat;
use recurve::{Adam, Gru, Model, Optimizer, ResetBefore, Sgd, Stack, Workspace, clip_norm};

use common::Problem;
use common::compare::{Tolerance, f64s};
use common::problem::Sizes;
use reference::Cell as _;
use reference::optim;

/// As for the tensors of `PyTorch`: sums of few terms, three windows. Measured: below 2e-7 and 5e-7.
const TOLERANCE: Tolerance = Tolerance { norm: 1e-6, element: 3e-6 };

/// Adam magnifies tiny gradients, and with them the rounding of f32: each is zero or above this.
const SMALLEST: f64 = 1e-5;

const B: usize = 2;
const T: usize = 3;
const STEPS: u64 = 3;

/// The crate's rule, the reference's for so many parameters, and the norm at which gradients are clipped.
type Rule = (Box<dyn Optimizer>, Box<dyn optim::Optimizer>, f32);

fn rules(count: usize) -> [Rule; 3] {
    let (betas, eps, weight_decay) = ((0.9, 0.999), 1e-8, 0.25);
    let adam = Adam { weight_decay: 0.25, ..Adam::new(0.03125) };
    [
        (Box::new(Sgd { lr: 0.25, momentum: 0.0 }), Box::new(optim::Sgd::new(0.25, 0.0, count)), 0.5),
        (Box::new(Sgd { lr: 0.125, momentum: 0.875 }), Box::new(optim::Sgd::new(0.125, 0.875, count)), 1e9),
        (Box::new(adam), Box::new(optim::AdamW::new(0.03125, betas, eps, weight_decay, count)), 1e9),
    ]
}

/// Losses, norms before clipping, weights and state after all steps.
#[derive(Default)]
struct Run<F> {
    losses: Vec<F>,
    norms: Vec<F>,
    weights: Vec<F>,
    state: Vec<F>,
}

/// Steps of the typed model, one on each window.
fn trained<C: TypedCell<H>, const H: usize, const O: usize>(
    windows: &[Problem],
    optimizer: &dyn Optimizer,
    clip: f32,
) -> Run<f32> {
    let mut model = *Model::<C, H, O>::from_flat(&windows[0].params).expect("the problem's sizes");
    let mut grads = Model::<C, H, O>::boxed();
    let mut workspace = Workspace::<C, H, O, B, T>::boxed();
    let mut state = C::State::<B>::boxed();
    state.as_flat_mut().copy_from_slice(&windows[0].state);
    let mut memory = vec![0.0; optimizer.state_len(Model::<C, H, O>::LEN)];
    let mut run = Run::default();
    for window in windows {
        let (x, y) = (window.inputs.inputs(), window.targets.targets());
        grads.set_zero();
        let loss = model.gradient(x, y, &mut state, &mut workspace, &mut grads).expect("a valid window");
        run.losses.push(loss);
        run.norms.push(global_norm(grads.as_flat()).expect("finite gradients"));
        clip_norm(grads.as_flat_mut(), clip).expect("finite gradients");
        optimizer.step(model.as_flat_mut(), grads.as_flat(), &mut memory).expect("finite gradients");
    }
    run.weights = model.as_flat().to_vec();
    run.state = windows[0].remembered(state.as_flat());
    run
}

/// The same steps of the reference.
fn expected(windows: &[Problem], optimizer: &mut dyn optim::Optimizer, clip: f64) -> Run<f64> {
    let mut run =
        Run { weights: f64s(&windows[0].params), state: windows[0].reference_state(), ..Run::default() };
    for window in windows {
        let network = window.reference_network(&run.weights);
        let window = window.reference_window(network.cell.inputs());
        let (forward, gradients) = network.gradients(&window, &run.state);
        let mut grads = gradients.parameters.flat();
        assert!(grads.iter().all(|&g| g == 0.0 || g.abs() > SMALLEST), "take another seed");
        run.losses.push(forward.loss);
        run.norms.push(optim::clip(&mut grads, clip));
        optimizer.step(&mut run.weights, &grads);
        run.state = forward.state;
    }
    run
}

fn check<C: StoredCell<H>, const H: usize, const O: usize>(
    reads_tokens: bool,
    predicts_tokens: bool,
    seed: u64,
) {
    let sizes =
        |seed| Sizes { cell: C::CELL, outputs: O, batch: B, window: T, reads_tokens, predicts_tokens, seed };
    let windows: Vec<_> = (0..STEPS).map(|step| Problem::new(sizes(seed + step))).collect();
    for (optimizer, mut of_reference, clip) in rules(Model::<C, H, O>::LEN) {
        let run = trained::<C, H, O>(&windows, &*optimizer, clip);
        let expected = expected(&windows, &mut *of_reference, f64::from(clip));
        TOLERANCE.check("losses", &run.losses, &expected.losses);
        TOLERANCE.check("norms", &run.norms, &expected.norms);
        TOLERANCE.check("weights", &run.weights, &expected.weights);
        TOLERANCE.check("state", &run.state, &expected.state);
    }
}

#[test]
fn a_gru_that_resets_before_the_product_trains_as_the_reference_does() {
    check::<Gru<3, 5, ResetBefore>, 5, 4>(true, true, 90);
    check::<Gru<3, 5, ResetBefore>, 5, 4>(false, false, 1);
    check::<Stack<Gru<3, 4, ResetBefore>, Gru<4, 5, ResetBefore>>, 5, 2>(false, false, 15);
}
