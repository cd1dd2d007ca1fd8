//! Every way in which clipping and the optimisers refuse: weights, memory and gradients are as they were.

#[allow(dead_code, reason = "each test crate uses its part of the helpers")]
#[path = "common/compare.rs"]
mod compare;

use recurve::error::{Argument, Quantity};
use recurve::optim::global_norm;
use recurve::{Adam, Error, Optimizer, Sgd, clip_norm, clip_value};

use compare::bits;

fn length(argument: Argument, needed: usize, got: usize) -> Error {
    Error::Length { argument, needed, got }
}

/// What an optimiser refuses, with weights and memory as they were.
#[track_caller]
fn optimizer_refused(optimizer: &dyn Optimizer, grads: &[f32], memory: usize, error: Error) {
    let (mut params, mut memory) = (vec![0.5; 21], vec![0.25; memory]);
    let before = (bits(&params), bits(&memory));
    assert_eq!(optimizer.step(&mut params, grads, &mut memory), Err(error));
    assert_eq!((bits(&params), bits(&memory)), before);
}

#[test]
fn optimisers_refuse_wrong_lengths_and_what_is_not_finite() {
    let plain = Sgd { lr: 0.1, momentum: 0.0 };
    let momentum = Sgd { lr: 0.1, momentum: 0.9 };
    let adam = Adam { weight_decay: 0.1, ..Adam::new(0.1) };
    let optimizers: [(&dyn Optimizer, usize); 3] = [(&plain, 0), (&momentum, 21), (&adam, 44)];
    for (optimizer, memory) in optimizers {
        assert_eq!(optimizer.state_len(21), memory);
        for len in [0, 20, 22] {
            optimizer_refused(optimizer, &vec![0.5; len], memory, length(Argument::Grads, 21, len));
        }
        let error = length(Argument::OptimizerState, memory, memory + 1);
        optimizer_refused(optimizer, &[0.5; 21], memory + 1, error);
        if memory > 0 {
            let error = length(Argument::OptimizerState, memory, memory - 1);
            optimizer_refused(optimizer, &[0.5; 21], memory - 1, error);
        }
        for at in 0..21 {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let mut grads = [0.5; 21];
                grads[at] = bad;
                optimizer_refused(optimizer, &grads, memory, Error::NotFinite(Quantity::Gradient));
            }
        }
        // No weights at all are nothing to do.
        assert_eq!(optimizer.step(&mut [], &[], &mut vec![0.0; optimizer.state_len(0)]), Ok(()));
    }
}

#[test]
fn clipping_refuses_what_is_not_finite_wherever_it_stands() {
    for at in 0..21 {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut grads = [2.0; 21];
            grads[at] = bad;
            let before = bits(&grads);
            let error = Error::NotFinite(Quantity::Gradient);
            assert_eq!(global_norm(&grads), Err(error));
            assert_eq!(clip_norm(&mut grads, 1.0), Err(error));
            assert_eq!(clip_value(&mut grads, 1.0), Err(error));
            assert_eq!(bits(&grads), before);
        }
    }
    assert_eq!(
        (global_norm(&[]), clip_norm(&mut [], 1.0), clip_value(&mut [], 1.0)),
        (Ok(0.0), Ok(0.0), Ok(()))
    );
}
