//! `recurve train --checkpoint` and `--resume`: the same model whatever has happened, or one line that says why not.

use std::fs;

use crate::run::{Folder, SMALL, rhyme};

const TRAIN: &str = "train text.txt --batch 4 --window 8 --json --quiet";

fn folder() -> Folder {
    Folder::new().with("text.txt", rhyme())
}

fn file(folder: &Folder, name: &str) -> Vec<u8> {
    fs::read(folder.path(name)).unwrap()
}

#[test]
fn a_resumed_run_ends_in_the_same_file() {
    let folder = folder();
    for flags in [
        "--hidden 12",
        "--hidden 12 --keep last --valid 0 --optimizer sgd",
        "--cell gru --hidden 12 --layers 2 --embedding 6 --dropout 0.2 --input-dropout 0.1 --shuffle-offset \
         --weight-decay 0.01 --patience 30 --bytes --clean letters",
    ] {
        let train = format!("{TRAIN} {flags}");
        let whole = folder.run(&format!("{train} --steps 150 --out whole.rcv")).json();
        // In the middle of the first epoch, at its end, and later.
        for steps in [20, 54, 101] {
            let checkpoint = format!("--checkpoint c.ckpt --checkpoint-every 7 --steps {steps} --threads 2");
            folder.run(&format!("{train} {checkpoint}")).json();
            let resume = format!("{train} --resume c.ckpt --steps 150 --out resumed.rcv");
            for threads in [1, 3] {
                let resumed = folder.run(&format!("{resume} --threads {threads}")).json();
                for key in ["steps", "epochs", "train_perplexity", "valid_perplexity"] {
                    assert_eq!(resumed[key], whole[key], "{key}, {flags}");
                }
                let same = file(&folder, "resumed.rcv") == file(&folder, "whole.rcv");
                assert!(same, "{flags}, {steps} steps, {threads} threads");
            }
        }
    }
}

/// A chain of runs, each going on from the one before and writing to the same checkpoint; the last has nothing to do.
#[test]
fn a_run_can_be_resumed_again_and_again() {
    let folder = folder();
    folder.run(&format!("{TRAIN} --hidden 12 --steps 60 --out whole.rcv")).json();
    folder.run(&format!("{TRAIN} --hidden 12 --steps 10 --checkpoint c.ckpt")).json();
    for steps in [30, 50, 60, 60] {
        let resume = "--resume c.ckpt --checkpoint c.ckpt --out m.rcv";
        let json = folder.run(&format!("{TRAIN} --hidden 12 --steps {steps} {resume}")).json();
        assert_eq!(json["steps"], steps);
    }
    assert!(file(&folder, "m.rcv") == file(&folder, "whole.rcv"));
    assert_eq!(folder.names(), ["c.ckpt", "m.rcv", "text.txt", "whole.rcv"]);
}

#[test]
fn a_resumed_run_goes_on_from_a_model_and_draws_the_whole_curve() {
    let folder = folder();
    folder.run(&format!("{TRAIN} --hidden 12 --steps 9 --out first.rcv")).json();
    let train = format!("{TRAIN} --init first.rcv");
    folder.run(&format!("{train} --steps 40 --out whole.rcv")).json();
    folder.run(&format!("{train} --steps 20 --checkpoint c.ckpt")).json();
    folder.run(&format!("{train} --steps 40 --resume c.ckpt --out m.rcv --plot p.svg")).json();
    assert!(file(&folder, "m.rcv") == file(&folder, "whole.rcv"));
    assert!(fs::read_to_string(folder.path("p.svg")).unwrap().contains("<svg"));
}

#[test]
fn another_run_is_refused_by_name() {
    let other = rhyme().replace("stream", "STREAM");
    let folder = folder().with("other.txt", other);
    let train = format!("train text.txt {SMALL}");
    folder.run(&format!("{train} --steps 30 --checkpoint c.ckpt --json --quiet")).json();
    let before = file(&folder, "c.ckpt");
    let resume = |line: &str| folder.run(&format!("{line} --resume c.ckpt --checkpoint c.ckpt --steps 40"));
    resume(&train.replace("text.txt", "other.txt")).refused(1, &["c.ckpt", "text", "checksum"]);
    for (flags, words) in [
        ("--seed 1", "seed 0, this one has 1"),
        ("--cell gru", "layers elman tanh 20 to 12, this one has gru tanh 20 to 12 with reset after"),
        ("--layers 2", "layers elman"),
        ("--clip 2", "clip 1, this one has 2"),
        ("--optimizer sgd", "optimizer adam, this one has sgd"),
        ("--weight-decay 0.1", "weight decay 0, this one has 0.1"),
        ("--dropout 0.5", "had dropout 0, this one has 0.5"),
        ("--train b_h,head", "trained tensors all, this one has b_h,w_hq,b_q"),
        ("--shuffle-offset", "shuffled offset false, this one has true"),
        ("--keep last", "best weights kept true, this one has false"),
        ("--valid 0.2", "--valid 0.1, this one has 0.2"),
        ("--patience 3", "--patience none, this one has 3"),
        ("--schedule cosine", "--schedule constant, this one has cosine"),
        ("--bytes", "vocabulary"),
    ] {
        resume(&format!("train text.txt {SMALL} {flags}")).refused(1, &["c.ckpt", words, "begin anew"]);
    }
    for (from, to, words) in [
        ("--batch 4", "--batch 5", "batch 4, this one has 5"),
        ("--window 8", "--window 9", "window 8, this one has 9"),
        ("--lr 0.02", "--lr 0.01", "lr 0.02, this one has 0.01"),
    ] {
        resume(&train.replace(from, to)).refused(1, &[words]);
    }
    assert!(file(&folder, "c.ckpt") == before, "a run that was refused has written");
}

/// Where the learning rate depends on how much of the run is done, so does all the rest.
#[test]
fn a_run_with_a_schedule_ends_where_it_was_to_end() {
    let folder = folder();
    let train = format!("train text.txt {SMALL} --schedule cosine --checkpoint c.ckpt");
    folder.run(&format!("{train} --steps 20 --quiet --json")).json();
    folder
        .run(&format!("{train} --steps 30 --resume c.ckpt"))
        .refused(1, &["had --steps 20, this one has 30"]);
    folder.run(&format!("{train} --steps 20 --resume c.ckpt --quiet --json")).json();
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let folder = folder();
    let train = format!("train text.txt {SMALL} --steps 5");
    folder.run(&format!("{train} --checkpoint c.ckpt --out m.rcv --json --quiet")).json();
    let good = file(&folder, "c.ckpt");
    let mut altered = good.clone();
    altered[good.len() / 2] ^= 4;
    let lying = [&good[..16], &[0xff; 7], &[0; 17]].concat();
    let folder = folder
        .with("cut.ckpt", &good[..good.len() - 1])
        .with("altered.ckpt", altered)
        .with("lying.ckpt", lying)
        .with("empty.ckpt", "");
    for (name, words) in [
        ("none.ckpt", "No such file"),
        ("m.rcv", "it is a model file, not a checkpoint: recurve train --init"),
        ("empty.ckpt", "not a checkpoint"),
        ("cut.ckpt", "cut short"),
        ("altered.ckpt", "checksum"),
        ("lying.ckpt", "expected"),
        (".", "irectory"),
    ] {
        folder.run(&format!("{train} --resume {name}")).refused(1, &[name, words]);
    }
    folder.run(&format!("{train} --init c.ckpt")).refused(2, &["--init"]);
    folder.run("inspect c.ckpt").refused(1, &["c.ckpt", "it is a checkpoint, not a model file", "--resume"]);
}

#[test]
fn a_checkpoint_has_a_name_of_its_own() {
    let folder = folder();
    let train = format!("train text.txt {SMALL} --steps 5");
    folder.run(&format!("{train} --checkpoint text.txt")).refused(1, &["the text and --checkpoint"]);
    folder.run(&format!("{train} --checkpoint c --out c")).refused(1, &["--out and --checkpoint"]);
    folder.run(&format!("{train} --resume c --out c")).refused(1, &["--resume and --out"]);
    folder.run(&format!("{train} --checkpoint no/c")).refused(1, &["no/c", "create its folder first"]);
    assert_eq!(folder.names(), ["text.txt"]);
}

#[test]
fn a_run_that_diverges_keeps_its_last_checkpoint() {
    let folder = folder();
    let train =
        "train text.txt --hidden 12 --batch 4 --window 8 --optimizer sgd --lr 1e37 --clip inf --valid 0";
    let run = format!("{train} --checkpoint c.ckpt --checkpoint-every 1 --steps 100 --quiet");
    let answer = folder.run(&run);
    answer
        .refused(1, &["beyond any number at step ", "smaller --lr", "the checkpoint after step ", "c.ckpt"]);
    let step = |before: &str| {
        let number: String =
            answer.stderr.split_once(before).unwrap().1.chars().take_while(char::is_ascii_digit).collect();
        number.parse::<u64>().unwrap()
    };
    let (failed, saved) = (step("at step "), step("the checkpoint after step "));
    assert!(saved < failed, "{}", answer.stderr);
    // It can be used up to there.
    let resumed = folder.run(&format!("{train} --resume c.ckpt --steps {saved} --json --quiet")).json();
    assert_eq!(resumed["steps"], saved);
    assert_eq!(folder.names(), ["c.ckpt", "text.txt"]);
}

#[cfg(unix)]
mod processes {
    use super::*;
    use crate::process::shell;
    use assert_cmd::cargo::CommandCargoExt;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    /// A limit on the size of files stands for a disk that is full: the model has room, a checkpoint has not.
    #[test]
    fn a_full_disk_leaves_the_checkpoint_from_before() {
        let folder = folder();
        let train = format!("{TRAIN} --hidden 24 --checkpoint c.ckpt --checkpoint-every 5");
        folder.run(&format!("{train} --steps 10")).json();
        let before = file(&folder, "c.ckpt");
        let limited =
            format!("ulimit -f 16; trap '' XFSZ; \"$R\" {train} --resume c.ckpt --steps 40 --out m.rcv");
        let (code, stdout, stderr) = shell(&folder, &limited);
        assert_eq!((code, stderr.lines().count()), (Some(1), 1), "{stderr}");
        for words in
            ["recurve: cannot write c.ckpt: ", "free some space", "stopped after step 15", "left alone"]
        {
            assert!(stderr.contains(words), "{stderr}");
        }
        assert!(stdout.contains("\"steps\":15"), "{stdout}");
        assert!(file(&folder, "c.ckpt") == before);
        assert_eq!(folder.names(), ["c.ckpt", "m.rcv", "text.txt"]);
        folder.run(&format!("{train} --resume c.ckpt --steps 40 --out m.rcv")).json();
        folder.run(&format!("{TRAIN} --hidden 24 --steps 40 --out whole.rcv")).json();
        assert!(file(&folder, "m.rcv") == file(&folder, "whole.rcv"));
    }

    /// A small disk of its own: full first, then read-only, which binds even root.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_disk_that_fills_up_or_becomes_read_only_keeps_the_checkpoint() {
        let folder = folder();
        fs::create_dir(folder.path("disk")).unwrap();
        let mounted = |script: &str| {
            let script = format!("set -e; mount -t tmpfs -o size=64k tmpfs disk; {script}");
            shell(&folder, &format!("unshare --user --map-root-user --mount sh -c '{script}'"))
        };
        if mounted("true").0 != Some(0) {
            let must = std::env::var_os("RECURVE_SKIP_NOTHING").is_some();
            assert!(!must, "nothing can be mounted here: allow it, or unset RECURVE_SKIP_NOTHING");
            println!("skipped: nothing can be mounted here");
            return;
        }
        let train = format!("\"$R\" {TRAIN} --hidden 24 --out m.rcv --checkpoint disk/c.ckpt");
        let full = format!(
            "{train} --steps 10; cp disk/c.ckpt before; cat /dev/zero >disk/rest 2>/dev/null || true; \
             ! {train} --checkpoint-every 5 --resume disk/c.ckpt --steps 40; cmp before disk/c.ckpt; ls -A disk >names"
        );
        let read_only = format!(
            "{train} --checkpoint-every 5 --steps 1000000 & while ! [ -e disk/c.ckpt ]; do sleep 0.01; kill -0 $!; done; \
             while ! mount -o remount,ro disk 2>/dev/null; do kill -0 $!; done; ! wait $!; \
             cp disk/c.ckpt kept.ckpt"
        );
        for (script, why, names) in [
            (full, "free some space", "c.ckpt\nrest\n"),
            (read_only, "check the path and its permissions", ""),
        ] {
            let (code, _, stderr) = mounted(&script);
            assert_eq!((code, stderr.lines().count()), (Some(0), 1), "{stderr}");
            for words in ["recurve: cannot write disk/c.ckpt: ", why, "stopped after step", "left alone"] {
                assert!(stderr.contains(words), "{stderr}");
            }
            assert!(names.is_empty() || file(&folder, "names") == names.as_bytes());
        }
        for kept in ["before", "kept.ckpt"] {
            folder.run(&format!("{TRAIN} --hidden 24 --steps 1 --resume {kept}")).json();
        }
    }

    /// A folder that goes away stands for one that cannot be written to any more.
    #[test]
    fn a_lost_folder_ends_the_run_and_keeps_the_checkpoint() {
        let folder = folder();
        fs::create_dir(folder.path("sub")).unwrap();
        let train = format!("{TRAIN} --hidden 12 --out m.rcv");
        let line = format!("{train} --steps 100000 --checkpoint sub/c.ckpt --checkpoint-every 1");
        let mut command = Command::cargo_bin("recurve").unwrap();
        let command = command.args(line.split(' ')).current_dir(folder.path(""));
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let started = Instant::now();
        while !folder.path("sub/c.ckpt").exists() && started.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        fs::rename(folder.path("sub"), folder.path("gone")).unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
        assert!(
            stderr.contains("cannot write sub/c.ckpt") && stderr.contains("stopped after step"),
            "{stderr}"
        );
        assert!(String::from_utf8(output.stdout).unwrap().contains("\"steps\""));
        assert!(folder.path("m.rcv").exists());
        folder.run(&format!("{train} --steps 1 --resume gone/c.ckpt")).json();
    }

    /// The run that is interrupted hands over what it has; the one that goes on knows nothing of that.
    #[test]
    fn an_interrupted_run_can_go_on() {
        let folder = folder();
        let train = format!("{TRAIN} --hidden 8 --schedule cosine --steps 600");
        folder.run(&format!("{train} --out whole.rcv")).json();
        let line = format!("{train} --out m.rcv --checkpoint c.ckpt --checkpoint-every 1");
        let mut command = Command::cargo_bin("recurve").unwrap();
        let command = command.args(line.split(' ')).current_dir(folder.path(""));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = Instant::now();
        while !folder.path("c.ckpt").exists() && started.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(0));
        assert!(file(&folder, "m.rcv") != file(&folder, "whole.rcv"));
        folder.run(&format!("{train} --out m.rcv --resume c.ckpt")).json();
        assert!(file(&folder, "m.rcv") == file(&folder, "whole.rcv"));
    }

    /// Kills a run at random instants until it has survived so many, and compares each model that it comes to.
    fn soak(kills: u32) {
        let folder = folder();
        let train = format!(
            "{TRAIN} --cell gru --hidden 8 --dropout 0.2 --schedule cosine --shuffle-offset --threads 2 --steps 1200"
        );
        folder.run(&format!("{train} --out whole.rcv")).json();
        let whole = file(&folder, "whole.rcv");
        let (mut killed, mut ended, mut instant, mut over) = (0, 0, 12345_u64, false);
        while !over {
            // Knuth's linear congruential generator: up to half a second, or to the end if there were kills enough.
            instant = instant.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let patience =
                if killed < kills { Duration::from_micros((instant >> 40) % 500_000) } else { HOUR };
            let resume = if folder.path("c.ckpt").exists() { "--resume c.ckpt" } else { "" };
            let line = format!("{train} --out m.rcv --checkpoint c.ckpt --checkpoint-every 3 {resume}");
            match run_for(&folder, &line, patience) {
                None => killed += 1,
                Some(code) => {
                    assert_eq!(code, Some(0), "after {killed} kills");
                    assert!(file(&folder, "m.rcv") == whole, "after {killed} kills");
                    fs::remove_file(folder.path("c.ckpt")).unwrap();
                    ended += 1;
                    over = killed >= kills;
                }
            }
        }
        // What the last kills have left is swept away by the run that ended.
        assert_eq!(folder.names(), ["m.rcv", "text.txt", "whole.rcv"]);
        println!("{killed} kills survived, {ended} runs ended in the same file");
    }

    const HOUR: Duration = Duration::from_secs(3600);

    /// Runs a command for so long, then kills it; its exit code if it has ended before.
    fn run_for(folder: &Folder, line: &str, time: Duration) -> Option<Option<i32>> {
        let mut command = Command::cargo_bin("recurve").unwrap();
        let command = command.args(line.split_whitespace()).current_dir(folder.path(""));
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let started = Instant::now();
        while started.elapsed() < time {
            if let Some(status) = child.try_wait().unwrap() {
                return Some(status.code());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        child.kill().unwrap();
        let code = child.wait().unwrap().code();
        code.map(Some)
    }

    #[test]
    fn a_killed_run_ends_in_the_same_file() {
        soak(4);
    }

    #[test]
    #[ignore = "half a minute: cargo test --features cli --test cli -- --ignored --nocapture killed_often"]
    fn a_run_that_is_killed_often_ends_in_the_same_file() {
        soak(60);
    }
}
