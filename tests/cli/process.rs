//! The command among others: interrupts, closed pipes, disks and pipes that are full.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use assert_cmd::cargo::CommandCargoExt;

use crate::run::{Folder, SMALL, rhyme, trained};

/// Runs a line of `sh` in a folder; `$R` is the command.
pub fn shell(folder: &Folder, line: &str) -> (Option<i32>, String, String) {
    let program = Command::cargo_bin("recurve").unwrap().get_program().to_owned();
    let mut sh = Command::new("sh");
    let output = sh.args(["-c", line]).env("R", program).current_dir(folder.path("")).output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Runs a command that prints a line on stderr when it begins, and sends it a signal then; its results, unless it
/// fails with exit code 1.
fn interrupted(folder: &Folder, line: &str, signal: &str) -> Option<serde_json::Value> {
    let mut child = Command::cargo_bin("recurve")
        .unwrap()
        .args(line.split(' '))
        .current_dir(folder.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // From the first line on, an interrupt is heard.
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stderr.read_line(&mut String::new()).unwrap();
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    match child.wait().unwrap().code() {
        Some(1) => None,
        code => {
            assert_eq!(code, Some(0));
            Some(serde_json::from_str(stdout.lines().last().unwrap()).unwrap())
        }
    }
}

#[test]
fn an_interrupt_ends_the_run_and_writes_the_model() {
    let folder = Folder::new().with("text.txt", rhyme());
    let train = format!("train text.txt {SMALL} --epochs 100000000 --max-seconds 60 --out m.rcv --json");
    let json = interrupted(&folder, &train, "-INT").unwrap();
    // It may come before the first step.
    assert!(json["steps"].is_u64() && json["seconds"].as_f64().unwrap() < 60.0, "{json}");
    assert_eq!(folder.names(), ["m.rcv", "text.txt"]);
    folder.run("inspect m.rcv --json").json();
}

#[test]
fn a_request_to_terminate_ends_the_training_of_a_forecaster() {
    let values: String = (0..100).map(|t| format!("{}\n", t % 7)).collect();
    let folder = Folder::new().with("s.csv", "v\n".to_owned() + &values);
    let line = "forecast s.csv --column v --hidden 4 --epochs 100000000 --max-seconds 60 --out m.rcv --json";
    // It may come before the first epoch is done: then there is nothing to keep.
    match interrupted(&folder, line, "-TERM") {
        Some(json) => {
            assert!(json["seconds"].as_f64().unwrap() < 60.0 && json["rmse"].is_number(), "{json}");
            folder.run("inspect m.rcv --json").json();
        }
        None => assert_eq!(folder.names(), ["s.csv"]),
    }
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let folder = trained("--steps 1");
    for command in ["sample model.rcv --length 20000", "inspect model.rcv", "baseline text.txt"] {
        let (_, _, stderr) = shell(&folder, &format!("\"$R\" {command} | true"));
        assert_eq!(stderr, "", "{command}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_stdout_is_a_failure() {
    let folder = trained("--steps 1");
    let (code, _, stderr) = shell(&folder, "\"$R\" sample model.rcv > /dev/full");
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with("recurve: cannot write the results to stdout"), "{stderr}");
}

#[test]
fn a_pipe_is_no_place_for_a_model() {
    let folder = Folder::new().with("text.txt", rhyme());
    let train = format!("train text.txt {SMALL} --steps 1 --quiet");
    let (code, stdout, stderr) = shell(&folder, &format!("mkfifo p; \"$R\" {train} --out p"));
    assert_eq!((code, stdout.as_str(), stderr.lines().count()), (Some(1), "", 1), "{stderr}");
    assert!(stderr.contains("cannot write p: it is a device or a pipe"), "{stderr}");
    assert_eq!(folder.names(), ["p", "text.txt"]);
}

/// A limit on the size of files stands for a disk that is full.
#[test]
fn a_full_disk_leaves_no_half_of_a_file() {
    let folder = Folder::new().with("text.txt", rhyme());
    let train = "train text.txt --hidden 200 --batch 2 --window 4 --steps 1 --out m.rcv --json --quiet";
    let (code, stdout, stderr) = shell(&folder, &format!("ulimit -f 16; trap '' XFSZ; \"$R\" {train}"));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.starts_with("recurve: cannot write m.rcv: ") && stderr.lines().count() == 1, "{stderr}");
    assert!(stderr.contains("free some space"), "{stderr}");
    assert!(stdout.contains("\"train_perplexity\""), "hours of training are not thrown away: {stdout}");
    assert_eq!(folder.names(), ["text.txt"]);
}
