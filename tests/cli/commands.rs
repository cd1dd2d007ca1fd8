//! The commands other than `train`, where all goes well.

use std::fs;

use recurve::params::Flat;
use recurve::{Adam, CharRnn, TrainingMemory};
use serde_json::Value;

use crate::run::{Folder, rhyme, trained};

fn keys(json: &Value) -> Vec<&str> {
    json.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn eval() {
    let folder = trained("--epochs 5");
    let json = folder.run("eval model.rcv text.txt --json").json();
    assert_eq!(keys(&json), ["nats_per_token", "perplexity", "tokens"]);
    assert_eq!(json["tokens"], rhyme().len() - 1);
    let [nats, perplexity] = ["nats_per_token", "perplexity"].map(|key| json[key].as_f64().unwrap());
    assert!((nats.exp() - perplexity).abs() < 1e-4);
    assert!(folder.run("eval model.rcv text.txt").text().starts_with("perplexity "));
}

#[test]
fn a_model_remembers_its_cleaning() {
    let folder = trained("--epochs 5 --clean letters").with("loud.txt", rhyme().to_uppercase());
    let perplexity =
        |name: &str| folder.run(&format!("eval model.rcv {name} --json")).json()["perplexity"].clone();
    assert_eq!(perplexity("text.txt"), perplexity("loud.txt"));
    let answer = folder.run_words(&["sample", "model.rcv", "--prefix", "Row, ROW!", "--length", "5"]);
    assert!(answer.text().starts_with("row row "), "{}", answer.text());
}

#[test]
fn sample() {
    let folder = trained("--epochs 12");
    let sample = |flags: &str| folder.run(&format!("sample model.rcv {flags}")).text();
    let greedy = sample("--prefix Row, --length 21 --temperature 0");
    assert!(greedy.starts_with("Row, row, row") && greedy.ends_with('\n') && greedy.len() == 26, "{greedy}");
    assert_eq!(sample("--length 30 --seed 3"), sample("--length 30 --seed 3"));
    assert_ne!(
        sample("--length 30 --seed 3 --temperature 2"),
        sample("--length 30 --seed 4 --temperature 2")
    );
    assert_eq!(sample("--prefix Row, --length 21 --top-k 1"), greedy);
    assert_eq!(sample("").chars().count(), 201);
}

#[test]
fn bytes_come_out_as_they_are() {
    let folder = Folder::new().with("data.bin", [0, 255, 10, 128].repeat(100));
    folder.run(
        "train data.bin --bytes --hidden 8 --batch 2 --window 8 --lr 0.02 --epochs 30 --out m.rcv --quiet",
    );
    let answer = folder.run("sample m.rcv --length 40 --temperature 0");
    assert_eq!((answer.code, answer.stdout.len()), (Some(0), 40));
    assert!(answer.stdout.windows(4).any(|bytes| bytes == [0, 255, 10, 128]), "{:?}", answer.stdout);
    assert!(folder.run("inspect m.rcv").text().contains("4 bytes: \\0 \\n \\x80 \\xff"));
}

#[test]
fn inspect() {
    let folder = trained("--steps 1");
    let json = folder.run("inspect model.rcv --batch 4 --window 8 --json").json();
    let symbols = 20;
    assert_eq!((&json["cell"], &json["activation"]), (&"elman".into(), &"tanh".into()));
    assert_eq!((&json["hidden"], &json["outputs"]), (&12.into(), &symbols.into()));
    assert_eq!((&json["clean"], &json["alphabet"]), (&"none".into(), &"characters".into()));
    assert_eq!(json["vocabulary"].as_array().unwrap().len(), symbols);
    assert_eq!(json["file_bytes"], fs::metadata(folder.path("model.rcv")).unwrap().len());
    assert_eq!(json["weights"][1], serde_json::json!({ "name": "w_hh", "shape": [12, 12] }));
    let text = folder.run("inspect model.rcv").text();
    for words in ["elman, tanh", "w_xh", "20 x 12", "' ' , . R a b", "cleaning", "with momentum", "tape"] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
}

#[test]
fn layers_and_embeddings() {
    let folder = trained("--steps 1 --cell gru --layers 2 --embedding 5");
    let json = folder.run("inspect model.rcv --json").json();
    let kinds: Vec<_> = json["layers"].as_array().unwrap().iter().map(|layer| &layer["cell"]).collect();
    assert_eq!(kinds, ["embedding", "gru", "gru"]);
    assert_eq!(json["weights"][0], serde_json::json!({ "name": "1.w_e", "shape": [20, 5] }));
    assert_eq!(json["file_bytes"], fs::metadata(folder.path("model.rcv")).unwrap().len());
    let text = folder.run("inspect model.rcv").text();
    for words in [
        "embedding of 5; gru of 12, reset after the product; gru of 12",
        "Model<Stack<Embedding<20, 5>, Stack<Gru<5, 12>, Gru<12, 12>>>, 12, 20>",
        "3.w_hn",
    ] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    assert_eq!(folder.run("sample model.rcv --length 9").text().trim_end_matches('\n').chars().count(), 9);
    for command in ["train --batch 2 --window 2", "step"] {
        let line =
            format!("bench {command} --hidden 4 --vocab 5 --layers 2 --embedding 3 --seconds 0.01 --json");
        folder.run(&line).json();
    }
}

/// What `inspect` says of a file is what a program that includes it may assert.
#[test]
fn inspect_agrees_with_the_constants() {
    type Typed = CharRnn<20, 12>;
    const ADAM: TrainingMemory = Typed::training_memory::<4, 8>(Adam::new(0.1).state_len(Typed::LEN));
    const SGD: TrainingMemory = Typed::training_memory::<4, 8>(0);
    let json = trained("--steps 1").run("inspect model.rcv --batch 4 --window 8 --json").json();
    assert_eq!(json["step_bytes"]["total"], Typed::STEP_MEMORY.total());
    let training = &json["training_bytes"];
    assert_eq!(training["adam"]["total"], ADAM.total());
    assert_eq!((&training["sgd"]["total"], &training["sgd"]["optimizer"]), (&SGD.total().into(), &0.into()));
    assert_eq!(training["sgd_momentum"]["optimizer"], Typed::BYTES);
    assert_eq!(training["adam"]["tape"], ADAM.tape);
    assert_eq!(training["adam"]["scratch"], ADAM.workspace() - ADAM.tape);
}

#[test]
fn baseline() {
    let folder = Folder::new().with("text.txt", rhyme());
    let json = folder.run("baseline text.txt --order 3 --json").json();
    assert_eq!(keys(&json), ["perplexity"]);
    let list: Vec<_> = json["perplexity"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect();
    assert!(list.len() == 3 && list[0] > list[1] && list[1] > list[2] && list[2] > 1.0);
    let text = folder.run("baseline text.txt --clean letters --valid 0.3").text();
    assert!(text.contains("contexts stored") && text.lines().count() == 8, "{text}");
    assert_eq!(
        folder.run("baseline text.txt --bytes --json").json()["perplexity"].as_array().unwrap().len(),
        6
    );
}

/// The figures come from a separate script (Python, dictionaries of counts keyed by context strings, the formula of
/// `host::baseline` written from the paper, the text cut at the nearest integer to n/10), run once on the same file.
#[test]
fn baseline_on_the_built_in_book() {
    let folder = Folder::new().with("book.txt", lipsum::LIBER_PRIMUS);
    for (flags, expected) in [
        ("--clean none", [18.299, 10.748, 7.121, 5.499, 5.404, 5.892]),
        ("--clean letters", [15.696, 9.779, 6.514, 4.916, 4.738, 5.149]),
    ] {
        let json = folder.run(&format!("baseline book.txt {flags} --order 6 --json")).json();
        let list: Vec<_> =
            json["perplexity"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect();
        assert_eq!(list.len(), expected.len());
        for (got, expected) in list.iter().zip(expected) {
            assert!((got - expected).abs() < 6e-4, "{list:?} with {flags}");
        }
    }
}

#[test]
fn bench() {
    let folder = Folder::new();
    let sizes = "--hidden 8 --vocab 5 --seconds 0.05 --json";
    let json = folder.run(&format!("bench train --batch 2 --window 4 --lanes portable {sizes}")).json();
    assert_eq!(keys(&json), ["gflops", "lanes", "peak_gflops", "tokens_per_second"]);
    let [gflops, speed] = ["gflops", "tokens_per_second"].map(|key| json[key].as_f64().unwrap());
    assert!((gflops - speed * 6.0 * (64.0 + 40.0) / 1e9).abs() < 1e-9 * gflops.max(1.0));
    assert!(json["peak_gflops"].as_f64().unwrap() > 0.0 && json["lanes"] == "portable");
    let json = folder.run(&format!("bench step --cell feedforward {sizes}")).json();
    assert_eq!(keys(&json), ["lanes", "ns_per_step"]);
    assert!(folder.run("bench step --hidden 8 --seconds 0.05").text().contains("ns per step"));
}

#[test]
fn help_and_version() {
    let folder = Folder::new();
    assert_eq!(folder.run("--version").text().trim(), concat!("recurve ", env!("CARGO_PKG_VERSION")));
    for command in ["train", "eval", "sample", "inspect", "baseline", "bench train", "bench step"] {
        let answer = folder.run(&format!("{command} --help"));
        assert_eq!(answer.code, Some(0));
        assert!(answer.text().contains(&format!("Example: recurve {command}")), "{}", answer.text());
    }
    assert!(folder.run("train --help").text().contains("[default: 256]"));
}
