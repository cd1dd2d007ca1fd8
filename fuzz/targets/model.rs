//! A model file: what is read comes back to the byte when written, and can be used; the rest is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recurve::Sampler;
use recurve::format::ModelFile;
use recurve::host::{HostError, Network, forecast::Forecaster};
use recurve_fuzz::Aligned;

fuzz_target!(|data: &[u8]| {
    let aligned = Aligned::new(data);
    let bytes = aligned.bytes();
    let network = Network::from_bytes(bytes);
    let Ok(file) = ModelFile::parse(bytes) else {
        assert!(network.is_err() && Forecaster::from_bytes(bytes).is_err());
        return;
    };
    let mut again = vec![0; file.byte_len()];
    file.emit(&mut again).unwrap();
    assert_eq!(again, bytes);

    if let Ok(forecaster) = Forecaster::from_bytes(bytes) {
        assert_eq!(forecaster.file(), file);
        // A window may be longer than any series, which is refused.
        let series: Vec<f64> = (0..9).map(|t| f64::from(t * t % 5)).collect();
        let _ = forecaster.forecast(&series);
    }
    match network {
        Ok(network) => {
            let last = u16::try_from(file.shape.outputs - 1).unwrap();
            // Weights may be any numbers, and so may what comes of them: an error or a figure.
            let _ = network.evaluate(&[0, last, 0, last]);
            if let Ok(text) = network.sample(&[last], 3, Sampler::GREEDY, 1) {
                network.decode(&text).unwrap();
            }
        }
        Err(error) => {
            assert!(file.symbols.is_none() || matches!(error, HostError::Memory { .. }), "{error}");
        }
    }
});
