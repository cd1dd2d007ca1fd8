//! `recurve export`: a model's weights as PyTorch reads them.

use recurve::host::safetensors::export;
use recurve::host::{check_writable, read_model, write_whole};

use crate::args::ExportArgs;
use crate::failure::Failure;
use crate::files::check_different;
use crate::report;

pub fn run(args: &ExportArgs) -> Result<(), Failure> {
    let ExportArgs { model, safetensors: out, json } = args;
    check_different(&[("the model", Some(model)), ("--safetensors", Some(out))])?;
    read_model(model, |file| {
        check_writable(out)?;
        let bytes = match export(file) {
            Ok(bytes) => bytes,
            Err(error) => {
                return Ok(Err(Failure::new(format!("cannot export {}: {error}", model.display()))));
            }
        };
        write_whole(out, &bytes)?;
        Ok(report::print_written(file, "weights", out, bytes.len(), *json))
    })?
}
