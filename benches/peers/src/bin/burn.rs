//! The contender burn: an Elman network of tensor operations on its backend Flex, trained by SGD.
//!
//! Burn clips each tensor by itself, so the norm of all of them, and with it SGD, is written out here. As for candle,
//! the output layer is one product over all steps.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use peers::{CLIP, LR, WINDOWS, Work, serve};

/// W_xh, W_hh, b_h, W_hq, b_q
struct Network {
    weights: [Tensor<2>; 5],
}

impl Network {
    /// The state and the outputs after some steps, of tokens (T×n).
    fn forward(&self, tokens: &[Tensor<1, Int>], mut state: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let [w_xh, w_hh, b_h, w_hq, b_q] = self.weights.clone();
        let mut states = Vec::new();
        for tokens in tokens {
            let inputs = w_xh.clone().select(0, tokens.clone()) + b_h.clone();
            state = (inputs + state.matmul(w_hh.clone())).tanh();
            states.push(state.clone());
        }
        let logits = Tensor::cat(states, 0).matmul(w_hq) + b_q;
        (state, logits)
    }

    /// A window of T + 1 rows of tokens: its loss, and the state after it.
    fn train(&mut self, state: Tensor<2>, tokens: &[Tensor<1, Int>]) -> (f32, Tensor<2>) {
        let (state, logits) = self.forward(&tokens[..tokens.len() - 1], state);
        let targets = Tensor::cat(tokens[1..].to_vec(), 0).unsqueeze_dim(1);
        let loss = log_softmax(logits, 1).gather(1, targets).mean().neg();
        let mut grads = loss.backward();

        let grads = self.weights.each_ref().map(|weight| weight.grad_remove(&mut grads).expect("a gradient"));
        let squares: f32 = grads.iter().map(|grad| grad.clone().square().sum().into_scalar::<f32>()).sum();
        let step = LR * (CLIP / squares.sqrt()).min(1.0);
        for (weight, grad) in self.weights.iter_mut().zip(grads) {
            *weight = (weight.clone().inner() - grad * step).autodiff().require_grad();
        }
        (loss.into_scalar(), state.detach())
    }
}

fn main() {
    let (_, work) = Work::from_args();
    let device = Device::flex().autodiff();
    let weights = work.tensors().map(|(data, rows, cols)| {
        Tensor::from_data(TensorData::new(data.to_vec(), [rows, cols]), &device).require_grad()
    });
    let mut network = Network { weights };

    let tokens: Vec<_> = (0..=WINDOWS * work.window)
        .map(|step| {
            let row: Vec<i32> = work.row(step).map(i32::from).collect();
            Tensor::<1, Int>::from_data(TensorData::new(row, [work.batch]), &device)
        })
        .collect();
    let zero = Tensor::<2>::zeros([work.batch, work.hidden], &device);
    let (mut state, mut windows) = (zero.clone(), (0..WINDOWS).cycle());
    serve(1, || {
        let window = windows.next().expect("a window");
        let start = if window == 0 { &zero } else { &state };
        let at = window * work.window;
        let (loss, after) = network.train(start.clone(), &tokens[at..=at + work.window]);
        state = after;
        loss
    });
}
