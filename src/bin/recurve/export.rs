//! `recurve export`: a model's weights as PyTorch reads them.

use recurve::host::safetensors::export;
use recurve::host::{Network, check_writable, write_whole};

use crate::args::ExportArgs;
use crate::failure::Failure;
use crate::files::check_different;
use crate::report;

pub fn run(args: &ExportArgs) -> Result<(), Failure> {
    let ExportArgs { model, safetensors: out, json } = args;
    check_different(&[("the model", Some(model)), ("--safetensors", Some(out))])?;
    let network = Network::read(model)?;
    check_writable(out)?;
    let bytes = export(&network)
        .map_err(|error| Failure::new(format!("cannot export {}: {error}", model.display())))?;
    write_whole(out, &bytes)?;
    report::print_written(&network, "weights", out, bytes.len(), *json)
}
