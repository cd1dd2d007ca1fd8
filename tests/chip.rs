//! The way from `PyTorch` to a chip that the README describes, with the network that its program trained there
//! (`tests/golden/torch_readme.py`): it predicts the same here, and on a board it writes what it writes on the host.
#![cfg(all(feature = "cli", unix))]

#[path = "../examples/firmware/src/rng.rs"]
mod rng;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use recurve::clean::Clean;
use recurve::host::safetensors::{Import, Vocabulary};
use recurve::host::{Corpus, Network};
use recurve::lanes::LaneKind;
use recurve::vocab::Alphabet;
use recurve::{Inputs, Sampler};
use serde_json::Value;
use tempfile::TempDir;

use rng::XorShift;

/// The text that it was trained on, and what the program saved.
const BOOK: &str = "LICENSE-APACHE";
const WEIGHTS: &str = "tests/golden/torch/readme.safetensors";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(repository().join(name)).unwrap()
}

fn imported() -> Network {
    let book = Corpus::Chars(read(BOOK)).clean(Clean::Letters);
    let mut import = Import::default();
    import.clean = Some(Clean::Letters);
    import.vocabulary = Some(Vocabulary::of_corpus(&book).unwrap());
    import.network(&fs::read(repository().join(WEIGHTS)).unwrap()).unwrap()
}

fn tokens(network: &Network, text: String) -> Vec<u16> {
    Corpus::Chars(text).clean(Clean::Letters).tokens(network.symbols()).unwrap()
}

fn text(network: &Network, tokens: &[u16]) -> String {
    String::from_utf8(network.decode(tokens).unwrap()).unwrap()
}

#[test]
fn it_predicts_and_writes_as_in_pytorch() {
    let (network, expected) = (imported(), read("tests/golden/torch/readme.json"));
    let expected: Value = serde_json::from_str(&expected).unwrap();
    assert_eq!(network.symbols().alphabet(), Alphabet::Chars);
    let nats = f64::from(network.evaluate(&tokens(&network, read(BOOK))).unwrap().nats_per_token());
    let of_pytorch = expected["nats_per_token"].as_f64().unwrap();
    assert!((nats / of_pytorch - 1.0).abs() < 1e-5, "{nats}, not {of_pytorch}");
    let written = network.sample(&tokens(&network, "The ".into()), 40, Sampler::GREEDY, 0).unwrap();
    assert_eq!(text(&network, &written), expected["after_the"].as_str().unwrap());
}

/// The first line of `examples/firmware`: its prefix, its sampler and its seed, multiplied and added as a board does.
fn first_line(network: &Network) -> String {
    let shape = network.shape();
    let (mut state, mut logits) = (vec![0.0; shape.state_len(1)], vec![0.0; shape.outputs]);
    let mut scratch = vec![0.0; shape.step_scratch_len(1)];
    let (sampler, mut rng) = (Sampler::new(0.5, 5).unwrap(), XorShift::new(0x9e37_79b9));
    let mut feed = |token: u16, logits: &mut [f32]| {
        let (params, token) = (network.params(), [token]);
        let inputs = Inputs::Tokens(&token);
        shape.step_on(LaneKind::Portable, params, inputs, &mut state, logits, &mut scratch).unwrap();
        token
    };
    for token in tokens(network, "The ".into()) {
        feed(token, &mut logits);
    }
    let written: Vec<u16> = (0..40)
        .flat_map(|_| {
            let token = sampler.choose(&mut logits, &mut rng).unwrap();
            feed(token, &mut logits)
        })
        .collect();
    format!("The {}", text(network, &written))
}

/// The files of a folder that were not built, into another one.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if !path.is_dir() {
            fs::copy(path, to).unwrap();
        } else if !path.ends_with("target") {
            copy(&path, &to);
        }
    }
}

/// A folder that looks like the repository to the README's commands, and has what its program needs and leaves.
fn folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let (book, weights) = (folder.path().join("book.txt"), folder.path().join("gru.safetensors"));
    fs::copy(repository().join(BOOK), book).unwrap();
    fs::copy(repository().join(WEIGHTS), weights).unwrap();
    let built = folder.path().join("target/release");
    fs::create_dir_all(&built).unwrap();
    symlink(env!("CARGO_BIN_EXE_recurve"), built.join("recurve")).unwrap();
    let firmware = folder.path().join("examples/firmware");
    copy(&repository().join("examples/firmware"), &firmware);
    let manifest = fs::read_to_string(firmware.join("Cargo.toml")).unwrap();
    let here = format!("path = {:?}", repository());
    assert!(manifest.contains(r#"path = "../..""#));
    fs::write(firmware.join("Cargo.toml"), manifest.replace(r#"path = "../..""#, &here)).unwrap();
    (folder, firmware)
}

/// The commands after the section's program.
fn commands() -> String {
    let readme = read("README.md");
    let (_, section) = readme.split_once("#### From PyTorch to a chip\n").unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

#[test]
#[ignore = "builds a firmware: it takes the target thumbv7em-none-eabihf, qemu-system-arm and a minute"]
fn the_board_writes_what_the_host_writes() {
    let (folder, firmware) = folder();
    let mut shell = Command::new("sh");
    // What was built for the firmware before is of use again; what it is built with is said in its own folder.
    shell
        .env("CARGO_TARGET_DIR", repository().join("examples/firmware/target"))
        .env("CARGO_TERM_QUIET", "true");
    shell.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let commands = format!("exec 2>&1\n{}", commands());
    let output = shell.args(["-ec", &commands]).current_dir(folder.path()).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{commands}{printed}");
    assert!(printed.contains("Model<Gru<27, 16>, 16, 27>"), "{printed}");

    let network = Network::read(firmware.join("model.rcv")).unwrap();
    assert_eq!(network.params(), imported().params());
    let lines: Vec<&str> = printed.lines().collect();
    let [.., first, second] = lines[..] else { panic!("{printed}") };
    assert_eq!(first, first_line(&network), "{printed}");
    assert!(second.starts_with("a chip "), "{printed}");
    println!("{first}\n{second}");
}
