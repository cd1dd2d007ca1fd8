//! Exit code 1: texts, models and places that cannot be used. One line says why, and no file is left.

use std::fs;

use crate::run::{Folder, SIZES, SMALL, rhyme, trained};

#[test]
fn texts() {
    let folder =
        Folder::new().with("empty.txt", "").with("latin1.txt", b"caf\xe9 au lait").with("short.txt", "abc");
    let names = folder.names();
    for command in ["train", "baseline"] {
        folder.run(&format!("{command} none.txt")).refused(1, &["none.txt", "No such file"]);
        folder.run(&format!("{command} empty.txt")).refused(1, &["empty.txt", "empty"]);
        folder.run(&format!("{command} latin1.txt")).refused(1, &["latin1.txt", "offset 3", "as bytes"]);
    }
    folder.run("train .").refused(1, &["read .: ", "give the name of a file"]);
    folder.run("train short.txt --out m.rcv").refused(1, &["3 tokens", "1152", "smaller batch or window"]);
    folder.run("train short.txt --batch 1 --window 1").refused(1, &["--valid 0"]);
    folder.run("baseline short.txt").refused(1, &["0 tokens"]);
    assert_eq!(folder.names(), names);
}

#[test]
fn one_file_for_two_things() {
    let folder = Folder::new().with("text.txt", rhyme());
    let train = "train text.txt --steps 1";
    folder.run(&format!("{train} --out text.txt")).refused(1, &["the text and --out", "same file"]);
    folder.run(&format!("{train} --plot ./text.txt")).refused(1, &["the text and --plot"]);
    folder.run(&format!("{train} --plot m.rcv --out m.rcv")).refused(1, &["--out and --plot"]);
    assert_eq!(folder.names(), ["text.txt"]);
    assert_eq!(fs::read(folder.path("text.txt")).unwrap(), rhyme().as_bytes());
}

#[test]
fn sizes_beyond_memory() {
    let folder = Folder::new().with("text.txt", rhyme());
    let train = "train text.txt --out m.rcv";
    folder
        .run(&format!("{train} --hidden 10000000"))
        .refused(1, &["need", "PB of memory", "smaller hidden size"]);
    folder.run(&format!("{train} --hidden 18446744073709551615")).refused(1, &["more than 18.4 EB"]);
    folder.run("bench step --hidden 10000000").refused(1, &["TB of memory"]);
    folder.run("bench train --hidden 2 --batch 9000000000000000000").refused(1, &["memory"]);
    folder.run(&format!("{train} --window 18446744073709551615")).refused(1, &["window"]);
    assert_eq!(folder.names(), ["text.txt"]);
}

#[test]
fn model_files() {
    let folder = trained("--steps 1");
    let good = fs::read(folder.path("model.rcv")).unwrap();
    let altered = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let folder = folder
        .with("cut.rcv", &good[..good.len() - 1])
        .with("altered.rcv", altered(100))
        .with("version.rcv", altered(8))
        .with("other.rcv", altered(0))
        .with("none.rcv", "")
        .with("short.txt", "abc");
    for command in ["eval NAME text.txt", "sample NAME", "inspect NAME"] {
        let refused = |name: &str, words: &[&str]| {
            let answer = folder.run(&command.replace("NAME", name));
            answer.refused(1, &[&[name], words].concat());
        };
        refused("cut.rcv", &["cut short"]);
        refused("altered.rcv", &["checksum"]);
        refused("version.rcv", &["version 0", "versions 1 to 2"]);
        refused("other.rcv", &["not a model file"]);
        refused("none.rcv", &["0"]);
        refused("missing.rcv", &["No such file"]);
        refused("text.txt", &["not a model file"]);
        refused("short.txt", &["not a model file"]);
        #[cfg(unix)]
        refused("/dev/zero", &["not a model file"]);
    }
}

#[test]
fn symbols_that_the_model_does_not_know() {
    let folder =
        trained("--steps 1").with("other.txt", "Row, zow").with("one.txt", "R").with("bad.txt", b"R\xff");
    folder.run("eval model.rcv other.txt").refused(1, &["'z'", "character 6", "other.txt", "train"]);
    folder.run("sample model.rcv --prefix Rox").refused(1, &["'x'", "character 3", "the prefix"]);
    folder.run("eval model.rcv one.txt").refused(1, &["one.txt", "single character"]);
    folder.run("eval model.rcv bad.txt").refused(1, &["bad.txt", "offset 1"]);
    let bytes = trained("--steps 1 --bytes").with("bad.txt", b"R\xff");
    bytes.run("eval model.rcv bad.txt").refused(1, &["byte 2", "0xff"]);
}

#[test]
fn places_that_cannot_be_written() {
    let folder = Folder::new().with("text.txt", rhyme());
    for flag in ["--out", "--plot"] {
        let train = |place: &str| folder.run(&format!("train text.txt {SMALL} --steps 1 {flag} {place}"));
        train("nowhere/file").refused(1, &["nowhere/file", "create its folder"]);
        train("text.txt/file").refused(1, &["text.txt/file"]);
        train(".").refused(1, &["write .", "name of a file"]);
        #[cfg(unix)]
        train("/dev/null").refused(1, &["write /dev/null", "a device or a pipe", "name of a file"]);
    }
    assert_eq!(folder.names(), ["text.txt"]);
}

#[test]
fn a_run_that_diverges() {
    let folder = Folder::new().with("text.txt", rhyme());
    let train = format!("train text.txt {SIZES} --optimizer sgd --lr 1e37 --clip inf --plot p.svg --quiet");
    let advice = ["perplexity is beyond any number at step 2,", "--lr", "--clip"];
    let answer = folder.run(&train);
    answer.refused(1, &advice);
    assert!(!answer.stderr.contains("model"), "{}", answer.stderr);
    folder
        .run(&format!("{train} --out m.rcv"))
        .refused(1, &[&advice[..], &["no model was written"]].concat());
    assert_eq!(folder.names(), ["text.txt"]);
    // Of its held-out text there is no perplexity either.
    let short = format!("train text.txt {SIZES} --optimizer sgd --lr 1e37 --clip inf --quiet --steps 1");
    let written = "the model as it was after step 1 was written to m.rcv";
    folder.run(&format!("{short} --out m.rcv")).refused(1, &["not finite at step 1,", "--lr", written]);
    folder.run("inspect m.rcv --json").json();
}

#[test]
fn a_run_that_diverges_writes_what_did_best() {
    let text = &"Row, row, row your boat, gently down the stream. Merrily, merrily. ".repeat(4);
    let folder = Folder::new().with("text.txt", &text[..260]).with("m.rcv", "older");
    let train = format!("train text.txt {SIZES} --optimizer sgd --lr 20 --clip inf --quiet --out m.rcv");
    folder
        .run(&train)
        .refused(1, &["beyond any number at step", "the best on held-out text, was written to m.rcv"]);
    folder.run("inspect m.rcv --json").json();
    // Of a run that keeps its last weights nothing is worth to be kept.
    folder.run(&format!("{train} --keep last")).refused(1, &["m.rcv was left as it was"]);
}

#[test]
fn a_file_that_was_there_stays_as_it_was() {
    let folder = Folder::new().with("text.txt", rhyme()).with("m.rcv", "precious");
    folder.run("train text.txt --window 5000 --out m.rcv --quiet").refused(1, &["tokens"]);
    folder
        .run(&format!("train text.txt {SIZES} --valid 0.0001 --out m.rcv --quiet"))
        .refused(1, &["--valid"]);
    // A step so large that the weights themselves are lost: nothing is left to write.
    let lost = format!("train text.txt {SIZES} --lr 3.4e38 --clip inf --out m.rcv --quiet");
    folder.run(&lost).refused(1, &["not finite at step", "m.rcv was left as it was"]);
    assert_eq!(fs::read(folder.path("m.rcv")).unwrap(), b"precious");
}
