//! `recurve forecast`: figures, files, and what a file of numbers can have wrong with it.

use std::fs;

use crate::run::Folder;

/// Values of a noisy season of 12 on a trend, as a file with two columns.
fn sales() -> String {
    let mut noise = 1_u32;
    let mut csv = String::from("month, sales,text\n");
    for t in 0..240 {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let season = (f64::from(t) * std::f64::consts::TAU / 12.0).sin() * 5.0;
        let value = 100.0 + 0.3 * f64::from(t) + season + f64::from(noise >> 16) / 65536.0;
        csv += &format!("{t},{value:.3},x\n");
    }
    csv
}

/// A forecaster that a debug build trains in little time.
const SMALL: &str = "--hidden 8 --window 12 --epochs 25 --lr 0.02 --quiet";

#[test]
fn it_beats_naive_forecasts_of_trend_and_season() {
    let folder = Folder::new().with("sales.csv", sales());
    let line = format!("forecast sales.csv --column sales --horizon 2 --season 12 {SMALL}");
    let json = folder.run(&format!("{line} --json")).json();
    let figure = |key: &str| json[key].as_f64().unwrap();
    assert!(figure("rmse") < figure("naive_rmse").min(figure("seasonal_rmse")), "{json}");
    assert!(figure("mae") < figure("naive_mae").min(figure("seasonal_mae")), "{json}");
    assert_eq!((&json["values"], &json["held_out"], &json["epochs"]), (&240.into(), &48.into(), &25.into()));
    assert_eq!(json["forecast"].as_array().unwrap().len(), 2);
    let mean_square = |key: &str| {
        let steps: Vec<f64> = json[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
        assert!(steps.len() == 2 && steps[0] < steps[1], "{key}: {steps:?}");
        steps.iter().map(|rmse| rmse * rmse).sum::<f64>() / 2.0
    };
    for (whole, by_step) in [("rmse", "rmse_by_step"), ("naive_rmse", "naive_rmse_by_step")] {
        assert!((figure(whole).powi(2) / mean_square(by_step) - 1.0).abs() < 1e-9, "{json}");
    }

    let text = folder.run(&line).text();
    for words in ["RMSE", "MAE", "last value", "last season", "it beats every naive forecast", "next: "] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
}

#[test]
fn keys_and_seed() {
    let folder = Folder::new().with("sales.csv", sales());
    let run = |flags: &str| {
        let line = format!("forecast sales.csv --column sales {SMALL} --epochs 2 --json {flags}");
        let mut json = folder.run(&line.replace("--epochs 25 ", "")).json();
        json["seconds"] = 0.into();
        json
    };
    let json = run("");
    let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "epochs",
        "forecast",
        "held_out",
        "horizon",
        "interrupted",
        "kept_epoch",
        "mae",
        "naive_mae",
        "naive_rmse",
        "naive_rmse_by_step",
        "parameters",
        "rmse",
        "rmse_by_step",
        "seasonal_mae",
        "seasonal_rmse",
        "seconds",
        "values",
        "window",
    ];
    assert_eq!(keys, expected);
    assert!(json["seasonal_rmse"].is_null());
    assert_eq!(json, run(""));
    assert_ne!(json, run("--seed 1"));
    assert_ne!(json, run("--huber 0.5"));
    for cell in ["elman", "lstm", "feedforward"] {
        assert!(run(&format!("--cell {cell}"))["rmse"].as_f64().unwrap() > 0.0);
    }
    let parameters = |flags: &str| run(flags)["parameters"].as_u64().unwrap();
    // Three gates, of a candidate with two biases, on top of 8 units.
    assert_eq!(parameters("--layers 2") - parameters(""), 3 * (8 * 8 + 8 * 8 + 8) + 8);
}

#[test]
fn the_naive_figures_are_exact() {
    let folder = Folder::new().with("v.csv", "v\n0\n1\n0\n1\n0\n1\n0\n1\n0\n3\n");
    let line =
        "forecast v.csv --column v --window 2 --hidden 1 --epochs 1 --season 2 --valid 0.3 --json --quiet";
    let json = folder.run(line).json();
    assert_eq!((&json["held_out"], &json["naive_mae"]), (&3.into(), &(5.0 / 3.0).into()));
    assert!((json["naive_rmse"].as_f64().unwrap() - (11.0_f64 / 3.0).sqrt()).abs() < 1e-12);
    assert_eq!(json["seasonal_mae"].as_f64(), Some(2.0 / 3.0));
}

#[test]
fn plot_and_model_are_written() {
    let folder = Folder::new().with("sales.csv", sales());
    let line = format!("forecast sales.csv --column sales --horizon 3 {SMALL}").replace("25", "2");
    let text = folder.run(&format!("{line} --svg plot.svg --out model.rcv")).text();
    assert!(
        text.contains("model written to model.rcv") && text.contains("plot written to plot.svg"),
        "{text}"
    );
    let svg = fs::read_to_string(folder.path("plot.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    for words in ["truth", "forecast", "next", "sales"] {
        assert!(svg.contains(words), "no {words:?} in the plot");
    }
    assert_eq!(folder.names(), ["model.rcv", "plot.svg", "sales.csv"]);
    let shown = folder.run("inspect model.rcv").text();
    assert!(shown.contains("looks back on 12 values, forecasts 3"), "{shown}");
    assert!(
        folder.run("export model.rcv --safetensors model.safetensors").text().contains("model.safetensors")
    );
    // A model of readings cannot write.
    for command in ["sample model.rcv", "eval model.rcv sales.csv"] {
        folder.run(command).refused(1, &["model.rcv", "vocabulary"]);
    }
}

/// A folder with `sales.csv`, and a forecaster of three values in `model.rcv`; and what its training has printed.
fn forecaster() -> (Folder, serde_json::Value) {
    let folder = Folder::new().with("sales.csv", sales());
    let line =
        format!("forecast sales.csv --column sales --horizon 3 --season 12 --out model.rcv --json {SMALL}");
    let json = folder.run(&line.replace("25", "2")).json();
    (folder, json)
}

#[test]
fn a_model_forecasts_as_it_did_when_it_was_trained() {
    let (folder, trained) = forecaster();
    let line = "forecast sales.csv --column sales --season 12 --model model.rcv";
    let json = folder.run(&format!("{line} --valid 0.2 --json --svg plot.svg")).json();
    for key in ["rmse", "mae", "naive_rmse", "seasonal_mae", "forecast", "held_out", "parameters"] {
        assert_eq!(json[key], trained[key], "{key}");
    }
    assert!(json["epochs"].is_null() && json["seconds"].is_null());
    let text = folder.run(line).text();
    // A window of 12 and the value before it come first.
    for words in ["240 values, 227 to measure by", "looks back on 12, forecasts 3", "this network", "next: "]
    {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    assert_eq!(folder.names(), ["model.rcv", "plot.svg", "sales.csv"]);
}

#[test]
fn a_model_forecasts_where_nothing_can_be_measured() {
    let (folder, _) = forecaster();
    let first =
        |values: usize| sales().lines().take(values + 1).map(|line| format!("{line}\n")).collect::<String>();
    let folder = folder.with("least.csv", first(13)).with("short.csv", first(12));
    let json = folder.run("forecast least.csv --column sales --model model.rcv --json").json();
    assert!(json["rmse"].is_null() && json["naive_mae"].is_null() && json["held_out"] == 0, "{json}");
    assert_eq!(json["forecast"].as_array().unwrap().len(), 3);
    let text = folder.run("forecast least.csv --column sales --model model.rcv").text();
    assert!(text.contains("nothing to measure by") && text.contains("next: "), "{text}");
    let short = folder.run("forecast short.csv --column sales --model model.rcv");
    short.refused(1, &["short.csv has 12 values", "give 13 or more"]);
    let season = folder.run("forecast sales.csv --column sales --model model.rcv --season 14");
    season.refused(1, &["--season 14 is too long", "is 13: give a shorter one"]);
}

#[test]
fn what_no_model_forecasts() {
    let (folder, _) = forecaster();
    let folder = folder.with("text.rcv", include_bytes!("../data/abc.rcv"));
    let folder = folder.with("gestures.rcv", include_bytes!("../../examples/gestures/gestures.rcv"));
    let line = "forecast sales.csv --column sales --model";
    for other in ["text.rcv", "gestures.rcv"] {
        folder.run(&format!("{line} {other}")).refused(1, &[other, "no forecaster"]);
    }
    let folder =
        folder.with("notes.txt", "no model, but long enough to be told from one by what it begins with");
    folder.run(&format!("{line} notes.txt")).refused(1, &["notes.txt", "not a model file"]);
    folder.run(&format!("{line} none.rcv")).refused(1, &["none.rcv", "No such file"]);
    for flags in ["--horizon 2", "--epochs 1", "--max-seconds 1", "--hidden 3", "--out new.rcv"] {
        folder.run(&format!("{line} model.rcv {flags}")).refused(2, &["--model", "cannot be used with"]);
    }
    folder.run(&format!("{line} model.rcv --svg model.rcv")).refused(1, &["--model and --svg", "same file"]);
}

#[test]
fn a_model_of_readings_is_inspected_and_exported() {
    let (folder, _) = forecaster();
    let json = folder.run("inspect model.rcv --json").json();
    assert_eq!(json["forecaster"], serde_json::json!({ "window": 12, "horizon": 3 }));
    assert_eq!(json["normalization"]["inputs"]["mean"].as_array().unwrap().len(), 2);
    assert_eq!(json["normalization"]["outputs"]["deviation"].as_array().unwrap().len(), 3);
    assert!(json["vocabulary"].is_null() && json["clean"].is_null());
    let text = folder.run("inspect model.rcv").text();
    for words in ["looks back on 12 values, forecasts 3", "deviation", "difference to the last value, step 3"]
    {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    let exported = folder.run("export model.rcv --safetensors model.safetensors --json").json();
    assert_eq!((&exported["outputs"], &exported["parameters"]), (&json["outputs"], &json["parameters"]));
    let bytes = fs::read(folder.path("model.safetensors")).unwrap();
    let head = String::from_utf8_lossy(&bytes[8..]);
    for words in ["\"window\":\"12\"", "\"input_mean\":\"[", "rnn.weight_ih_l0", "head.bias"] {
        assert!(head.contains(words), "no {words:?} in {head}");
    }
    let folder = folder.with("gestures.rcv", include_bytes!("../../examples/gestures/gestures.rcv"));
    let json = folder.run("inspect gestures.rcv --json").json();
    assert!(json["forecaster"].is_null() && json["normalization"]["outputs"].is_null());
    assert!(folder.run("inspect gestures.rcv").text().contains("a model of readings"));
}

#[test]
fn the_weights_kept_are_the_best_or_the_last() {
    let folder = Folder::new().with("sales.csv", sales());
    let line = format!("forecast sales.csv --column sales {SMALL} --lr 0.3").replace("--lr 0.02 ", "");
    let best = folder.run(&format!("{line} --json")).json();
    let kept = best["kept_epoch"].as_u64().unwrap();
    assert!((1..25).contains(&kept) && best["epochs"] == 25, "{best}");
    let text = folder.run(&line).text();
    assert!(text.contains("trained for 25 epochs in ") && text.contains(&format!("best after {kept}")));
    let last = folder.run(&format!("{line} --keep last --json")).json();
    assert!(last["kept_epoch"].is_null() && last["forecast"] != best["forecast"], "{last}");
    let recipe = |line: String| folder.run(&line.replace(" --quiet", "")).stderr;
    let said = recipe(format!("{line} --keep last"));
    assert!(said.starts_with("recipe: --cell gru ") && said.contains(" --keep last --valid 0.2"), "{said}");
    let said = recipe(format!("{line} --horizon 40"));
    assert!(said.contains(" --keep last") && said.contains("too few values to compare"), "{said}");
}

#[test]
fn all_values_may_be_trained_on() {
    let folder = Folder::new().with("sales.csv", sales());
    let line =
        format!("forecast sales.csv --column sales {SMALL} --valid 0").replace("--epochs 25", "--epochs 1");
    let json = folder.run(&format!("{line} --json")).json();
    assert!(json["rmse"].is_null() && json["held_out"] == 0 && json["forecast"][0].is_number(), "{json}");
    assert!(folder.run(&line).text().contains("240 values, 0 held out"));
}

#[test]
fn time_limits_the_training() {
    let folder = Folder::new().with("sales.csv", sales());
    let line = "forecast sales.csv --column sales --hidden 2 --window 3 --json --max-seconds";
    let json = folder.run(&format!("{line} 60 --epochs 2 --quiet")).json();
    assert_eq!(json["epochs"], 2);
    // No epoch is done in so short a time: weights that are drawn by chance replace no model.
    let answer = folder.run(&format!("{line} 1e-9 --quiet --out sales.rcv --svg sales.svg"));
    answer.refused(1, &["before its first epoch", "more time"]);
    assert_eq!(folder.names(), ["sales.csv"]);
}

#[test]
fn other_separators() {
    let csv = sales().replace(", ", ";").replace(',', ";");
    let folder = Folder::new().with("sales.csv", csv.clone()).with("tab.csv", csv.replace(';', "\t"));
    let line = format!("forecast sales.csv --column sales --json {SMALL}").replace("25", "1");
    folder.run(&format!("{line} --delimiter ;")).json();
    folder.run(&format!("{line} --delimiter tab").replace("sales.csv", "tab.csv")).json();
    folder.run(&line).refused(1, &["no column \"sales\"", "--delimiter"]);
}

#[test]
fn cells_and_columns() {
    let cell = |cell: &str| sales().replacen("\n7,", &format!("\n7,{cell}#"), 1);
    let spoiled = |text: &str| {
        let csv: String = cell(text)
            .lines()
            .map(|line| match line.split_once('#') {
                Some((head, _)) => format!("{head},x\n"),
                None => format!("{line}\n"),
            })
            .collect();
        Folder::new().with("s.csv", csv)
    };
    let line = format!("forecast s.csv --column sales --svg p.svg {SMALL}");
    for (text, words) in [
        ("", "missing"),
        ("abc", "\"abc\" is not a number"),
        ("NaN", "not finite"),
        ("inf", "not finite"),
        ("1e999", "not finite"),
        ("-1.1e18", "\"-1.1e18\" is beyond 1e18"),
        ("\"1,5\"", "a point before decimals"),
        ("\"1,234,567.5\"", "nothing between thousands"),
        ("1 000", "nothing between thousands"),
    ] {
        let folder = spoiled(text);
        folder.run(&line).refused(1, &["line 9 of s.csv", "\"sales\"", words]);
        assert_eq!(folder.names(), ["s.csv"]);
    }
    for end in ["\n", "\r\n"] {
        let mut lines = vec!["y"; 400];
        lines[1..].fill("1.5");
        lines[6] = "";
        let folder = Folder::new().with("s.csv", lines.join(end) + end + end);
        folder.run("forecast s.csv --column y").refused(1, &["line 7 of s.csv is empty"]);
    }
    let long = format!("v,w\n1,2\n1,{}\n1,2\n", "x".repeat(300_000));
    let folder = Folder::new().with("s.csv", long);
    folder.run("forecast s.csv --column v").refused(1, &["line 3 of s.csv has more than 262144 bytes"]);
    spoiled("1,2").run(&line).refused(1, &["line 9 of s.csv", "4 cells", "3"]);
    let folder = Folder::new().with("s.csv", sales());
    folder
        .run("forecast s.csv --column price")
        .refused(1, &["no column \"price\"", "\"month\"", "\"sales\""]);
    folder.run("forecast s.csv --column text").refused(1, &["line 2", "\"x\""]);
    let twice = Folder::new().with("s.csv", "a,a\n1,2\n");
    twice.run("forecast s.csv --column a").refused(1, &["several columns \"a\""]);
    // What is quoted is on one line and not endless, however many and long the cells are.
    let names: Vec<String> = (0..200).map(|i| format!("\"{i}\n\u{1b}{}\"", "x".repeat(1000))).collect();
    let wild = Folder::new().with("s.csv", names.join(",")).with("cell.csv", format!("v\n{}\n", names[0]));
    let columns = wild.run("forecast s.csv --column v");
    columns.refused(1, &["only \"0\\n\\u{1b}xxx", "...\" and 192 more: give"]);
    let cell = wild.run("forecast cell.csv --column v");
    cell.refused(1, &["\"0\\n\\u{1b}xxx", "...\" is not a number"]);
    assert!(columns.stderr.len() < 1000 && cell.stderr.len() < 300);
    let marked = Folder::new().with("s.csv", format!("\u{feff}{}", sales()));
    marked.run(&format!("forecast s.csv --column month --json {SMALL}").replace("25", "1")).json();
}

#[test]
fn files_and_lengths() {
    let folder =
        Folder::new().with("empty.csv", "").with("head.csv", "v\n").with("s.csv", "v\n1\n2\n3\n4\n5\n6\n");
    folder.run("forecast none.csv --column v").refused(1, &["none.csv", "No such file"]);
    folder.run("forecast empty.csv --column v").refused(1, &["empty.csv is empty", "give a series"]);
    folder.run("forecast head.csv --column v").refused(1, &["head.csv", "no line after"]);
    folder.run("forecast s.csv --column v").refused(1, &["s.csv", "6 values", "needs 34", "--window"]);
    let small = "forecast s.csv --column v --window 2 --epochs 1";
    folder
        .run(&format!("{small} --horizon 2 --valid 0.1"))
        .refused(1, &["--valid 0.1", "holds out 1", "hold out more"]);
    folder
        .run(&format!("{small} --season 6"))
        .refused(1, &["--season 6 is too long", "5 values", "is 5: give"]);
    let long = Folder::new().with("s.csv", sales());
    let season = |flags: &str| long.run(&format!("forecast s.csv --column sales {flags}"));
    season("--season 5000")
        .refused(1, &["--season 5000", "s.csv has 192 values", "is 152: give a shorter one"]);
    season("--season 153").refused(1, &["--season 153", "is 152: give a shorter one, or a --window"]);
    season("--season 152 --window 152 --epochs 1 --json --quiet").json();
    season("--season 152 --epochs 1 --json --quiet").json();
    season("--season 193 --window 9").refused(1, &["is 192: give a shorter one"]);
    folder.run(&format!("{small} --svg s.csv")).refused(1, &["the series and --svg", "same file"]);
    folder.run(&format!("{small} --out m --svg m")).refused(1, &["--out and --svg"]);
    folder.run(&format!("{small} --svg no/p.svg")).refused(1, &["no/p.svg", "create its folder"]);
    folder.run(&format!("{small} --lr 1e38 --clip inf --epochs 9")).refused(2, &["--epochs"]);
    assert_eq!(folder.names(), ["empty.csv", "head.csv", "s.csv"]);
}

#[test]
fn values_out_of_range_name_their_flag() {
    let folder = Folder::new();
    for (flags, flag) in [
        ("--horizon 0", "--horizon"),
        ("--season 0", "--season"),
        ("--window 0", "--window"),
        ("--valid 1", "--valid"),
        ("--huber 0", "--huber"),
        ("--delimiter ab", "--delimiter"),
        ("--epochs 0", "--epochs"),
        ("--lr nan", "--lr"),
    ] {
        folder.run(&format!("forecast s.csv --column v {flags}")).refused(2, &[flag]);
    }
    folder.run("forecast s.csv").refused(2, &["--column"]);
}
