//! The contender candle: an Elman network of tensor operations, trained by `candle_nn`'s SGD.
//!
//! Products that do not wait for each other are made at once, as a careful user would: the output layer over all steps. The
//! inputs are looked up step by step, because the gradient of a slice is as large as what it was cut from.

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::loss::cross_entropy;
use candle_nn::optim::{Optimizer, SGD};
use peers::{CLIP, LR, WINDOWS, Work, serve};

/// W_xh, W_hh, b_h, W_hq, b_q
struct Network {
    weights: [Var; 5],
}

impl Network {
    /// The state and the outputs after some steps, of tokens (T×n).
    fn forward(&self, tokens: &[Tensor], state: &Tensor) -> Result<(Tensor, Tensor)> {
        let [w_xh, w_hh, b_h, w_hq, b_q] = &self.weights;
        let (mut state, mut states) = (state.clone(), Vec::new());
        for tokens in tokens {
            let inputs = w_xh.index_select(tokens, 0)?.broadcast_add(b_h)?;
            state = (inputs + state.matmul(w_hh)?)?.tanh()?;
            states.push(state.clone());
        }
        let logits = Tensor::cat(&states, 0)?.matmul(w_hq)?.broadcast_add(b_q)?;
        Ok((state, logits))
    }
}

fn main() -> Result<()> {
    let (_, work) = Work::from_args();
    let weights = work.tensors().map(|(data, rows, cols)| {
        let tensor = Tensor::from_slice(data, (rows, cols), &Device::Cpu).expect("a tensor");
        Var::from_tensor(&tensor).expect("a variable")
    });
    let network = Network { weights };
    let mut sgd = SGD::new(network.weights.to_vec(), f64::from(LR))?;

    let tokens: Vec<_> = (0..=WINDOWS * work.window)
        .map(|step| Tensor::from_iter(work.row(step).map(u32::from), &Device::Cpu).expect("tokens"))
        .collect();
    let zero = Tensor::zeros((work.batch, work.hidden), DType::F32, &Device::Cpu)?;
    let (mut state, mut windows) = (zero.clone(), (0..WINDOWS).cycle());
    serve(1, || {
        let window = windows.next().expect("a window");
        let start = if window == 0 { &zero } else { &state };
        let at = window * work.window;
        let (loss, after) =
            train(&network, &mut sgd, start, &tokens[at..=at + work.window]).expect("no errors");
        state = after;
        loss
    });
    Ok(())
}

/// A window of T + 1 rows of tokens: its loss, and the state after it.
fn train(network: &Network, sgd: &mut SGD, state: &Tensor, tokens: &[Tensor]) -> Result<(f32, Tensor)> {
    let (state, logits) = network.forward(&tokens[..tokens.len() - 1], state)?;
    let loss = cross_entropy(&logits, &Tensor::cat(&tokens[1..], 0)?)?;
    let mut grads = loss.backward()?;

    let mut squares = 0.0;
    for weight in &network.weights {
        squares += grads.get(weight).expect("a gradient").sqr()?.sum_all()?.to_scalar::<f32>()?;
    }
    let scale = f64::from(CLIP / squares.sqrt());
    if scale < 1.0 {
        for weight in &network.weights {
            let grad = (grads.remove(weight).expect("a gradient") * scale)?;
            grads.insert(weight, grad);
        }
    }
    sgd.step(&grads)?;
    Ok((loss.to_scalar()?, state.detach()))
}
