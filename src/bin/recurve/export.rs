//! `recurve export`: a model's weights as PyTorch reads them.

use recurve::host::safetensors::export;
use recurve::host::{Network, check_writable, write_whole};

use crate::args::ExportArgs;
use crate::failure::Failure;
use crate::files::check_different;
use crate::report::{self, grouped};

pub fn run(args: &ExportArgs) -> Result<(), Failure> {
    let ExportArgs { model, safetensors: out } = args;
    check_different(&[("the model", Some(model)), ("--safetensors", Some(out))])?;
    let network = Network::read(model)?;
    check_writable(out)?;
    let bytes = export(&network)
        .map_err(|error| Failure::new(format!("cannot export {}: {error}", model.display())))?;
    write_whole(out, &bytes)?;
    let size = grouped(bytes.len() as u64);
    let line = format!(
        "{}\nweights written to {} ({size} bytes)\n",
        report::layers(network.shape().cell),
        out.display()
    );
    report::print(line.as_bytes())
}
