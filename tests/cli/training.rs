//! `recurve train`: what is promised about its order, its figures and its files.

use std::fs;

use crate::run::{Folder, SIZES, SMALL, rhyme, trained};

/// Windows of an epoch, from the rule: with K = ⌊n/B⌋, every w with wT + T + 1 ≤ K.
fn windows(tokens: usize, batch: usize, window: usize) -> u64 {
    (0..).take_while(|w| w * window + window < tokens / batch).count() as u64
}

#[test]
fn keys_and_number_of_steps() {
    let folder = Folder::new().with("text.txt", rhyme());
    let json = folder.run(&format!("train text.txt {SMALL} --epochs 3 --json")).json();
    let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "epochs",
        "parameters",
        "seconds",
        "steps",
        "tokens_per_second",
        "train_perplexity",
        "valid_perplexity",
    ];
    assert_eq!(keys, expected);
    let characters = rhyme().len();
    let train = characters - (characters as f64 * 0.1).round() as usize;
    assert_eq!(json["steps"], 3 * windows(train, 4, 8));
    assert_eq!(json["epochs"], 3);
    let symbols = 20;
    assert_eq!(json["parameters"], symbols * 12 + 12 * 12 + 12 + 12 * symbols + symbols);
    assert!(json["train_perplexity"].as_f64().unwrap() < 20.0);
    assert!(json["tokens_per_second"].as_f64().unwrap() > 0.0);
}

#[test]
fn limits_end_the_run() {
    let folder = Folder::new().with("text.txt", rhyme());
    let train = |flags: &str| folder.run(&format!("train text.txt {SMALL} --quiet --json {flags}")).json();
    assert_eq!(train("--steps 7")["steps"], 7);
    assert_eq!(train("--steps 300")["epochs"], 300 / windows(1764, 4, 8));
    assert_eq!(train("--steps 300 --epochs 1")["epochs"], 1);
    let timed = train("--max-seconds 0.2");
    assert!(timed["seconds"].as_f64().unwrap() >= 0.2 && timed["steps"].as_u64().unwrap() > 0);
}

#[test]
fn the_same_seed_gives_the_same_file() {
    let model = |flags| fs::read(trained(flags).path("model.rcv")).unwrap();
    let one = model("--steps 20 --seed 5");
    assert_eq!(one, model("--steps 20 --seed 5"));
    assert_ne!(one, model("--steps 20 --seed 6"));
}

#[test]
fn the_model_written_is_the_one_whose_figures_are_printed() {
    for flags in [
        "--clean none",
        "--clean letters",
        "--bytes --cell feedforward",
        "--cell gru",
        "--cell lstm",
        "--layers 2",
        "--cell gru --layers 3 --embedding 5",
        "--optimizer sgd --lr 0.5",
    ] {
        let folder = Folder::new().with("text.txt", rhyme());
        let train = format!("train text.txt {SIZES} --valid 0.2 --steps 60 --quiet --json");
        let printed = folder.run(&format!("{train} --out model.rcv {flags}")).json();
        let text = if flags.contains("letters") { cleaned(&rhyme()) } else { rhyme() };
        let held_out = (text.len() as f64 * 0.2).round() as usize;
        fs::write(folder.path("end.txt"), &text[text.len() - held_out..]).unwrap();
        let json = folder.run("eval model.rcv end.txt --json").json();
        assert_eq!(json["perplexity"], printed["valid_perplexity"], "{flags}");
        assert_eq!(json["tokens"], held_out - 1);
    }
}

/// `--clean letters`, written differently.
fn cleaned(text: &str) -> String {
    let letters = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    letters.collect::<Vec<_>>().join(" ").to_lowercase() + " "
}

#[test]
fn it_learns() {
    let folder = Folder::new().with("text.txt", rhyme());
    let json = folder.run(&format!("train text.txt {SMALL} --epochs 12 --quiet --json")).json();
    assert!(json["valid_perplexity"].as_f64().unwrap() < 1.6, "{json}");
}

#[test]
fn every_way_of_training_is_reproducible_and_does_something() {
    let plain = "--hidden 12 --steps 120 --keep last";
    let model = |flags: &str| {
        let folder = Folder::new().with("text.txt", rhyme());
        let train = "train text.txt --batch 4 --window 8 --out model.rcv --json --quiet";
        folder.run(&format!("{train} {flags}")).json();
        fs::read(folder.path("model.rcv")).unwrap()
    };
    let weights = model(plain);
    for flags in [
        "--dropout 0.3",
        "--schedule cosine",
        "--weight-decay 0.5",
        "--shuffle-offset",
        "--cell lstm",
        "--input-dropout 0.1",
        "--train w_hh,biases",
    ] {
        let once = model(&format!("{plain} {flags}"));
        assert!(once != weights, "{flags} changes nothing");
        assert!(once == model(&format!("{plain} {flags} --threads 3")), "{flags} depends on threads");
    }
    for flags in ["--dropout 0", "--schedule constant", "--weight-decay 0", "--train 1,head"] {
        assert!(model(&format!("{plain} {flags}")) == weights, "{flags} changes something");
    }
}

/// Whoever chooses the network or the rule gets what is named and nothing else; whoever does not, all that helps.
#[test]
fn a_choice_means_plain_training() {
    let folder = Folder::new().with("text.txt", rhyme());
    let train = "train text.txt --batch 1 --window 4 --steps 2 --valid 0 --out model.rcv --json --quiet";
    let model = |flags: &str| {
        folder.run(&format!("{train} {flags}")).json();
        fs::read(folder.path("model.rcv")).unwrap()
    };
    for given in ["--lr 0.01", "--optimizer sgd", "--cell lstm", "--hidden 12"] {
        let plain = format!("{given} --dropout 0 --input-dropout 0 --schedule constant");
        assert!(model(given) == model(&plain), "{given}");
    }
    assert_eq!(folder.run("inspect model.rcv --json").json()["cell"], "elman");
    let usual = model("");
    let json = folder.run("inspect model.rcv --json").json();
    assert_eq!((&json["cell"], &json["hidden"]), (&"gru".into(), &256.into()));
    for flags in ["--dropout 0", "--input-dropout 0.5", "--schedule constant"] {
        assert!(model(flags) != usual, "{flags}");
    }
}

/// What was made by itself works together, through every command.
#[test]
fn layers_embedding_dropout_and_the_rest_together() {
    let flags = "--cell gru --hidden 12 --layers 2 --embedding 6 --dropout 0.2 --input-dropout 0.1 --lr 0.02 \
                 --schedule cosine --weight-decay 0.01 --shuffle-offset --patience 30 --epochs 3";
    let run = |more: &str| {
        let folder = Folder::new().with("text.txt", rhyme());
        let train = "train text.txt --batch 4 --window 8 --valid 0.2 --out model.rcv --json --quiet";
        let json = folder.run(&format!("{train} {flags} {more}")).json();
        (folder, json)
    };
    let (folder, json) = run("");
    assert!(json["valid_perplexity"].as_f64().unwrap() < 10.0, "{json}");
    let model = |folder: &Folder| fs::read(folder.path("model.rcv")).unwrap();
    assert!(model(&folder) == model(&run("--threads 3").0), "it depends on threads");

    fs::write(folder.path("end.txt"), &rhyme()[rhyme().len() / 5 * 4..]).unwrap();
    let perplexity = folder.run("eval model.rcv end.txt --json").json()["perplexity"].as_f64().unwrap();
    assert!((perplexity / json["valid_perplexity"].as_f64().unwrap() - 1.0).abs() < 0.2, "{perplexity}");
    assert_eq!(folder.run("sample model.rcv --length 9").text().trim_end_matches('\n').chars().count(), 9);
    let inspected = folder.run("inspect model.rcv --json").json();
    assert_eq!((&inspected["hidden"], &inspected["parameters"]), (&12.into(), &json["parameters"]));
    assert_eq!(inspected["layers"].as_array().unwrap().len(), 3);

    let train = "train text.txt --batch 4 --window 8 --hidden 5 --steps 2 --layers 2 --embedding 6 --quiet";
    let text = folder.run(train).text();
    assert!(text.contains("embedding of 6, elman, 2 x 5 hidden units, "), "{text}");
}

/// A text whose end is unlike its beginning: the more is learned of that, the worse.
fn misleading() -> String {
    rhyme() + &"Mary had a little lamb, its fleece was white as snow. ".repeat(8)
}

#[test]
fn the_best_weights_are_kept_unless_the_last_are_wanted() {
    let train = |flags: &str| {
        let folder = Folder::new().with("text.txt", misleading());
        let train = format!("train text.txt {SIZES} --lr 0.02 --valid 0.18 --epochs 10 --quiet");
        let json = folder.run(&format!("{train} --json --out model.rcv {flags}")).json();
        let text = misleading();
        fs::write(folder.path("end.txt"), &text[rhyme().len()..]).unwrap();
        let eval = folder.run("eval model.rcv end.txt --json").json();
        let (printed, measured) = (&json["valid_perplexity"], &eval["perplexity"]);
        let difference = printed.as_f64().unwrap() / measured.as_f64().unwrap() - 1.0;
        assert!(difference.abs() < 0.05, "{printed} {measured}");
        (json, folder.run(&format!("{train} {flags}")).text())
    };
    let (best, said) = train("");
    assert_eq!(best["epochs"], 10);
    assert!(said.contains("kept the weights of epoch "), "{said}");
    let (last, said) = train("--keep last");
    assert!(!said.contains("kept the weights"), "{said}");
    let valid = |json: &serde_json::Value| json["valid_perplexity"].as_f64().unwrap();
    assert!(valid(&best) < valid(&last), "{best} {last}");
    // The figures are those of the weights that are kept.
    assert!(best["train_perplexity"].as_f64() > last["train_perplexity"].as_f64());

    let (stale, said) = train("--patience 2");
    assert!(stale["epochs"].as_u64().unwrap() < 10 && said.contains("stopped early after"), "{stale} {said}");
    assert_eq!(stale["valid_perplexity"], best["valid_perplexity"]);
}

#[test]
fn nothing_held_out_is_null() {
    let folder = Folder::new().with("text.txt", rhyme());
    let json = folder.run(&format!("train text.txt {SMALL} --steps 3 --valid 0 --quiet --json")).json();
    assert!(json["valid_perplexity"].is_null());
    let text = folder.run(&format!("train text.txt {SMALL} --steps 3 --valid 0 --quiet")).text();
    assert!(text.contains("training perplexity") && !text.contains("gram"), "{text}");
}

#[test]
fn no_step_has_no_training_perplexity() {
    let folder = Folder::new().with("text.txt", rhyme());
    let train = format!("train text.txt {SMALL} --max-seconds 1e-7 --quiet --plot plot.svg");
    let json = folder.run(&format!("{train} --json")).json();
    assert_eq!((&json["steps"], &json["train_perplexity"]), (&0.into(), &serde_json::Value::Null));
    assert!(json["valid_perplexity"].as_f64().unwrap() > 10.0);
    let text = folder.run(&train).text();
    assert!(text.contains("training perplexity –\n"), "{text}");
}

#[test]
fn results_for_people() {
    let folder = Folder::new().with("text.txt", rhyme());
    let answer = folder.run(&format!("train text.txt {SMALL} --epochs 2 --out model.rcv --plot plot.svg"));
    assert_eq!(answer.code, Some(0));
    let text = answer.text();
    for words in ["1-gram", "6-gram", "this network", "tokens per second", "parameters", "it writes:"] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    assert!(text.contains("model written to model.rcv") && text.contains("plot written to plot.svg"));
    let svg = fs::read_to_string(folder.path("plot.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    for words in ["training", "validation", "best n-gram", "steps", "perplexity"] {
        assert!(svg.contains(words), "no {words:?} in the plot");
    }
    assert_eq!(folder.names(), ["model.rcv", "plot.svg", "text.txt"]);
}

#[test]
fn progress_is_on_stderr_unless_quiet() {
    let folder = Folder::new().with("text.txt", rhyme());
    let line = format!("train text.txt {SMALL} --epochs 6 --json");
    assert!(!folder.run(&line).stderr.is_empty());
    assert_eq!(folder.run(&format!("{line} --quiet")).stderr, "");
}

#[test]
fn a_plot_of_a_single_step() {
    let folder = Folder::new().with("text.txt", rhyme());
    let answer = folder.run(&format!("train text.txt {SMALL} --steps 1 --valid 0 --plot plot.svg --json"));
    answer.json();
    assert!(fs::read_to_string(folder.path("plot.svg")).unwrap().contains("<circle"));
}

#[test]
fn the_built_in_book() {
    let json = Folder::new().run("train --hidden 4 --batch 64 --steps 2 --json --quiet").json();
    assert_eq!((&json["steps"], &json["epochs"]), (&2.into(), &0.into()));
    assert!(json["valid_perplexity"].as_f64().unwrap() < 100.0);
}

#[test]
fn chinese() {
    let folder = Folder::new().with("text.txt", "时间机器，时间旅行者。".repeat(60));
    folder.run(&format!("train text.txt {SMALL} --epochs 20 --quiet --json --out m.rcv")).json();
    let answer = folder.run("sample m.rcv --prefix 时间 --length 20");
    assert_eq!((answer.code, answer.text().chars().count()), (Some(0), 23));
    assert!(answer.text().starts_with("时间"));
}

#[test]
fn one_hidden_unit_one_sequence_one_step() {
    let folder = Folder::new().with("text.txt", "ab".repeat(30));
    let json = folder.run("train text.txt --hidden 1 --batch 1 --window 1 --epochs 2 --quiet --json").json();
    assert_eq!(json["steps"], 2 * 53);
}

#[test]
fn twenty_thousand_symbols() {
    let symbols: String = (0x4e00..).take(20_000).filter_map(char::from_u32).collect();
    let folder = Folder::new().with("text.txt", symbols);
    let train = "train text.txt --hidden 2 --batch 2 --window 2 --steps 2 --valid 0.001 --quiet --json";
    let json = folder.run(&format!("{train} --out m.rcv")).json();
    assert_eq!(json["parameters"], 20_000 * 5 + 2 * 3);
    let text = folder.run("inspect m.rcv").text();
    assert!(text.contains("20,000 outputs") && text.contains("more"));
}

#[test]
fn the_recipe_that_is_printed_leads_to_the_same_model() {
    let folder = Folder::new().with("text.txt", rhyme());
    // The same from the flags of its recipe, but for where it is written.
    let again = |said: &str| {
        let answer = folder.run(&format!("train text.txt {said} --json --out a.rcv"));
        let recipe = answer.stderr.lines().next().unwrap().strip_prefix("recipe: ").unwrap();
        let (flags, parameters) = recipe.split_once(" (").unwrap();
        assert!(parameters.ends_with(" parameters)"), "{parameters}");
        folder.run(&format!("train text.txt {flags} --json --quiet --out b.rcv")).json();
        let [a, b] = ["a.rcv", "b.rcv"].map(|name| fs::read(folder.path(name)).unwrap());
        assert!(a == b, "{flags}");
        flags.to_owned()
    };
    let flags = again("--batch 2 --window 4 --steps 2");
    for flag in [
        "--cell gru --hidden 256 --layers 1",
        "--optimizer adam --lr 0.005",
        "--schedule cosine --dropout 0.2",
    ] {
        assert!(flags.contains(flag), "no {flag:?} in {flags}");
    }
    again("--hidden 4 --batch 2 --window 4 --epochs 3 --clean letters --keep last --train head");
    again("--hidden 4 --batch 2 --window 4 --epochs 2 --bytes --shuffle-offset --weight-decay 0.5 --seed 3");
    let plain = again("--hidden 4 --optimizer sgd --steps 1 --layers 2 --embedding 3 --batch 2 --window 4");
    folder.run("train text.txt --hidden 4 --batch 2 --window 4 --steps 1 --json --out init.rcv").json();
    again("--init init.rcv --batch 2 --window 4 --steps 2 --train biases");
    for flag in
        ["--cell elman --hidden 4 --layers 2 --embedding 3", "--optimizer sgd --lr 1 ", "--schedule constant"]
    {
        assert!(plain.contains(flag), "no {flag:?} in {plain}");
    }
}
