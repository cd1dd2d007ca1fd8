//! `recurve import`, `export`, and training that goes on from a model.

use std::fs;
use std::path::Path;

use safetensors::{SafeTensors, serialize};
use serde_json::{Value, json};

use crate::run::{Folder, SIZES, SMALL, rhyme, trained};

fn golden(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/torch").join(name)).unwrap()
}

/// A folder with a GRU of PyTorch's, its text, and its vocabulary as JSON.
fn torch() -> Folder {
    let text = String::from_utf8(golden("text.txt")).unwrap();
    let mut vocabulary: Vec<char> = text.chars().collect();
    vocabulary.sort_unstable();
    vocabulary.dedup();
    Folder::new()
        .with("text.txt", &text)
        .with("list.json", serde_json::to_string(&vocabulary).unwrap())
        .with("gru.safetensors", golden("gru.before.safetensors"))
        .with("after.safetensors", golden("gru.after.safetensors"))
        .with("relu.safetensors", golden("rnn_relu.before.safetensors"))
}

fn read(folder: &Folder, name: &str) -> Vec<u8> {
    fs::read(folder.path(name)).unwrap()
}

fn ok(folder: &Folder, line: &str) -> String {
    let answer = folder.run(line);
    assert_eq!(answer.code, Some(0), "{line}: {}", answer.stderr);
    answer.text()
}

#[test]
fn the_vocabulary_is_in_the_file_or_given() {
    let folder = torch();
    let text = ok(&folder, "import gru.safetensors --out m.rcv");
    assert!(text.starts_with("gru, 7 hidden units, 21 symbols\nmodel written to m.rcv ("), "{text}");
    ok(&folder, "import gru.safetensors --text text.txt --out text.rcv");
    ok(&folder, "import gru.safetensors --vocab list.json --out list.rcv");
    assert_eq!(read(&folder, "m.rcv"), read(&folder, "text.rcv"));
    assert_eq!(read(&folder, "m.rcv"), read(&folder, "list.rcv"));
    let listed: Value = serde_json::from_slice(&read(&folder, "list.json")).unwrap();
    assert_eq!(folder.run("inspect m.rcv --json").json()["vocabulary"], listed);
    folder.run("import after.safetensors --out x.rcv").refused(1, &["vocabulary", "--text", "--vocab"]);
}

#[test]
fn a_round_trip_gives_the_same_bytes() {
    for cell in
        ["--cell elman", "--cell gru --layers 2", "--cell lstm --embedding 5 --clean letters", "--bytes"]
    {
        let folder = trained(&format!("--steps 3 {cell}"));
        ok(&folder, "export model.rcv --safetensors a.safetensors");
        ok(&folder, "import a.safetensors --out again.rcv");
        ok(&folder, "export again.rcv --safetensors b.safetensors");
        assert_eq!(read(&folder, "again.rcv"), read(&folder, "model.rcv"), "{cell}");
        assert_eq!(read(&folder, "a.safetensors"), read(&folder, "b.safetensors"), "{cell}");
        let model = folder.run("inspect model.rcv --json").json();
        for line in ["import a.safetensors --out again.rcv", "export again.rcv --safetensors b.safetensors"] {
            let written = folder.run(&format!("{line} --json")).json();
            for key in ["cell", "hidden", "outputs", "parameters"] {
                assert_eq!(written[key], model[key], "{line}, {key}");
            }
            let file = line.rsplit(' ').next().unwrap();
            assert_eq!(written["file_bytes"], read(&folder, file).len(), "{line}");
        }
    }
}

#[test]
fn flags_say_what_the_file_does_not() {
    let folder = torch();
    let model = |flags: &str| {
        ok(&folder, &format!("import relu.safetensors --out m.rcv {flags}"));
        folder.run("inspect m.rcv --json").json()
    };
    assert_eq!(model("")["activation"], "tanh");
    assert_eq!(model("--activation relu")["activation"], "relu");
    let given = model("--activation relu --rnn-prefix encoder --head-prefix fc. --clean letters");
    assert_eq!((&given["clean"], given["layers"].as_array().unwrap().len()), (&json!("letters"), 2));
    // Bytes of the text: é is two, so there is a symbol more.
    let answer = folder.run("import relu.safetensors --text text.txt --bytes --out m.rcv");
    answer.refused(1, &["encoder.weight_ih_l0", "6 x 21", "6 x 22", "22 symbols"]);
}

/// A file as of modules made with `bias=False`.
#[test]
fn biases_that_there_are_not_are_zero_if_that_is_said() {
    let whole = golden("gru.before.safetensors");
    let (_, header) = SafeTensors::read_metadata(&whole).unwrap();
    let tensors = SafeTensors::deserialize(&whole).unwrap().tensors();
    let weights = tensors.into_iter().filter(|(name, _)| !name.contains("bias"));
    let folder = torch().with("bare.safetensors", serialize(weights, header.metadata().clone()).unwrap());
    let hint = "--without-biases is for a network made with bias=False";
    folder.run("import bare.safetensors --out m.rcv").refused(1, &["gru.bias_ih_l0", "missing", hint]);
    let inspected = |line: &str| {
        ok(&folder, line);
        folder.run("inspect m.rcv --json").json()["parameters"].clone()
    };
    let bare = inspected("import bare.safetensors --without-biases --out m.rcv");
    assert_eq!(bare, inspected("import gru.safetensors --out m.rcv"));
}

#[test]
fn the_inspected_vocabulary_is_one_to_import() {
    for flags in ["--steps 1", "--steps 1 --bytes"] {
        let folder = trained(flags);
        let list = folder.run("inspect model.rcv --json").json()["vocabulary"].to_string();
        let folder = folder.with("list.json", list);
        ok(&folder, "export model.rcv --safetensors w.safetensors");
        ok(&folder, "import w.safetensors --vocab list.json --out again.rcv");
        assert_eq!(read(&folder, "again.rcv"), read(&folder, "model.rcv"));
    }
    let folder = Folder::new().with("text.txt", "\"tab\t, line\n, é and 时\" ".repeat(40));
    folder.run(&format!("train text.txt {SMALL} --steps 1 --out m.rcv --json --quiet")).json();
    let vocabulary = folder.run("inspect m.rcv --json").json()["vocabulary"].clone();
    assert_eq!(
        vocabulary,
        json!(["\t", "\n", " ", "\"", ",", "a", "b", "d", "e", "i", "l", "n", "t", "é", "时"])
    );
}

/// Three steps from an imported model are those that PyTorch took.
#[test]
fn training_goes_on_as_in_pytorch() {
    let folder = torch();
    ok(&folder, "import gru.safetensors --out m.rcv");
    let train = "train text.txt --init m.rcv --steps 3 --batch 3 --window 5 --optimizer sgd --lr 0.5 --clip 0.5 \
                 --valid 0 --json --quiet --out n.rcv";
    assert_eq!(folder.run(train).json()["steps"], 3);
    ok(&folder, "import after.safetensors --text text.txt --out expected.rcv");
    let weights = |name: &str| recurve::host::Network::read(folder.path(name)).unwrap().params().to_vec();
    let (trained, expected) = (weights("n.rcv"), weights("expected.rcv"));
    let error: f32 = trained.iter().zip(&expected).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt();
    let norm: f32 = expected.iter().map(|w| w * w).sum::<f32>().sqrt();
    assert!(error < 1e-5 * norm, "{error} of {norm}");
}

/// What is frozen keeps its bits, through checkpoints too, and what is trained learns.
#[test]
fn the_output_layer_learns_and_the_cell_stays() {
    let folder = Folder::new().with("text.txt", rhyme());
    let train = "train text.txt --batch 4 --window 8 --lr 0.02 --json --quiet";
    folder.run(&format!("{train} --hidden 12 --layers 2 --steps 5 --out first.rcv")).json();
    let frozen = format!("{train} --init first.rcv --train head --keep last");
    let json = folder.run(&format!("{frozen} --steps 80 --out second.rcv")).json();
    folder.run(&format!("{frozen} --steps 30 --checkpoint c.ckpt")).json();
    folder.run(&format!("{frozen} --steps 80 --resume c.ckpt --out resumed.rcv")).json();
    let network = |name: &str| recurve::host::Network::read(folder.path(name)).unwrap();
    let [first, second, resumed] = ["first.rcv", "second.rcv", "resumed.rcv"].map(network);
    let split = first.params().len() - first.shape().head().params_len();
    assert!(first.params()[..split] == second.params()[..split], "the cell has changed");
    assert!(second.params() == resumed.params(), "it depends on checkpoints");
    let before = folder.run("eval first.rcv text.txt --json").json()["perplexity"].as_f64().unwrap();
    let after = folder.run("eval second.rcv text.txt --json").json()["perplexity"].as_f64().unwrap();
    assert!(after < 0.8 * before, "{before} {after} {json}");
}

#[test]
fn init_goes_on_where_a_run_ended() {
    // Plain gradient descent remembers nothing: two epochs are an epoch and another one.
    let rule = "--optimizer sgd --lr 0.5 --valid 0 --quiet --json";
    let flags = "--batch 4 --window 8 --epochs";
    let folder = Folder::new().with("text.txt", rhyme());
    let cell = "--hidden 12 --cell lstm --layers 2 --clean letters";
    folder.run(&format!("train text.txt {cell} {flags} 2 {rule} --out two.rcv")).json();
    folder.run(&format!("train text.txt {cell} {flags} 1 {rule} --out one.rcv")).json();
    let json = folder.run(&format!("train text.txt --init one.rcv {flags} 1 {rule} --out one.rcv")).json();
    assert_eq!(json["epochs"], 1);
    assert_eq!(read(&folder, "one.rcv"), read(&folder, "two.rcv"));
    let words = ok(&folder, "train text.txt --init one.rcv --steps 1 --quiet");
    assert!(words.starts_with("lstm, 2 x 12 hidden units, 17 symbols"), "{words}");
}

#[test]
fn init_and_what_the_model_says_are_one() {
    let folder = trained("--steps 1").with("other.txt", "Row, zow. ".repeat(40));
    for flag in ["--cell gru", "--hidden 12", "--layers 1", "--embedding 3", "--clean none", "--bytes"] {
        let name = flag.split(' ').next().unwrap();
        folder.run(&format!("train text.txt --init model.rcv {flag}")).refused(2, &["--init", name]);
    }
    let train =
        |text: &str, flags: &str| folder.run(&format!("train {text} --init model.rcv --steps 1 {flags}"));
    train("other.txt", "--out m.rcv").refused(1, &["'z'", "character 6", "other.txt"]);
    train("text.txt", "--plot model.rcv").refused(1, &["--init and --plot"]);
    folder.run("train text.txt --init none.rcv").refused(1, &["none.rcv", "No such file"]);
    folder.run("train text.txt --init text.txt").refused(1, &["text.txt", "not a model file"]);
    assert_eq!(folder.names(), ["model.rcv", "other.txt", "text.txt"]);
}

#[test]
fn a_model_of_readings_comes_back() {
    let series: String = (0..60).map(|t| format!("{}\n", t * t % 11)).collect();
    let folder = Folder::new().with("s.csv", "v\n".to_owned() + &series);
    let train =
        "forecast s.csv --column v --window 5 --horizon 2 --hidden 3 --layers 2 --epochs 1 --quiet --json";
    folder.run(&format!("{train} --out model.rcv")).json();
    ok(&folder, "export model.rcv --safetensors w.safetensors");
    let text = ok(&folder, "import w.safetensors --readings --out again.rcv");
    assert!(
        text.starts_with(
            "gru, 2 x 3 hidden units, 2 inputs (normalised), 2 outputs (normalised)\nmodel written"
        ),
        "{text}"
    );
    assert_eq!(read(&folder, "again.rcv"), read(&folder, "model.rcv"));
    folder.run("forecast s.csv --column v --model again.rcv --json").json();

    folder.run("import w.safetensors --out x.rcv").refused(1, &["no vocabulary", "--readings"]);
    folder
        .run("import w.safetensors --readings --text s.csv --out x.rcv")
        .refused(2, &["--readings", "--text"]);
    let torch = torch();
    torch
        .run("import gru.safetensors --readings --out x.rcv")
        .refused(1, &["vocabulary", "leave --readings out"]);
    ok(&torch, "import after.safetensors --readings --out m.rcv");
    assert_eq!(torch.run("inspect m.rcv --json").json()["vocabulary"], Value::Null);
}

#[test]
fn files_that_cannot_be_imported() {
    let mut long = vec![0; 40];
    long[..8].copy_from_slice(&(4_u64 << 30).to_le_bytes());
    let folder =
        torch().with("long", long).with("none", "").with("bad.json", "[\"ab\"]").with("bad", b"\"\xff");
    let names = folder.names();
    let import = |line: &str| folder.run(&format!("import {line} --out m.rcv"));
    import("long").refused(1, &["cannot import long", "4294967296", "32"]);
    import("none").refused(1, &["cannot import none", "less than 8 bytes"]);
    import("missing").refused(1, &["read missing", "No such file"]);
    import("text.txt").refused(1, &["cannot import text.txt", "does not begin as a safetensors file"]);
    import("gru.safetensors --vocab bad.json").refused(1, &["bad.json", "single characters"]);
    import("gru.safetensors --vocab bad").refused(1, &["bad is not UTF-8"]);
    import("gru.safetensors --activation relu").refused(1, &["gru", "torch.nn.RNN"]);
    let prefix = &["head has the prefix 'x'", "--head-prefix could be 'linear.'"];
    import("gru.safetensors --head-prefix x").refused(1, prefix);
    folder.run("import gru.safetensors --out gru.safetensors").refused(1, &["the weights and --out"]);
    folder.run("import gru.safetensors --out a/b").refused(1, &["a/b", "create its folder"]);
    assert_eq!(folder.names(), names);
    import("gru.safetensors --text text.txt --vocab list.json").refused(2, &["--text", "--vocab"]);
    import("gru.safetensors --bytes").refused(2, &["--text"]);
    folder.run("import gru.safetensors").refused(2, &["--out"]);
    folder.run("export m.rcv").refused(2, &["--safetensors"]);
}

#[test]
fn models_that_cannot_be_exported() {
    let folder = Folder::new().with("text.txt", rhyme());
    folder
        .run(&format!("train text.txt {SIZES} --cell feedforward --steps 1 --out m.rcv --json --quiet"))
        .json();
    let names = folder.names();
    folder.run("export m.rcv --safetensors w").refused(1, &["m.rcv", "PyTorch", "feedforward"]);
    folder.run("export m.rcv --safetensors m.rcv").refused(1, &["the model and --safetensors"]);
    folder.run("export text.txt --safetensors w").refused(1, &["text.txt", "not a model file"]);
    assert_eq!(folder.names(), names);
}
