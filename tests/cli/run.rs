//! A folder to run the command in, and what it answers.

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A command whose answer is awaited; one that never ends is a failure.
pub fn recurve() -> Command {
    let mut command = Command::cargo_bin("recurve").expect("the binary was built");
    command.timeout(std::time::Duration::from_secs(120));
    command
}

/// What a command has answered.
pub struct Answer {
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    /// The object on the last line of stdout.
    pub fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        serde_json::from_str(self.text().lines().last().unwrap()).unwrap()
    }

    /// A failure: nothing on stdout, one line on stderr that has all these words.
    pub fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!((self.code, self.text().as_str()), (Some(code), ""), "{}", self.stderr);
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        assert!(self.stderr.starts_with("recurve: "), "{}", self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in {}", self.stderr);
        }
    }
}

/// A folder that is deleted at the end.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn with(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        fs::write(self.path(name), bytes).unwrap();
        self
    }

    /// Runs a command line, its words separated by spaces, in this folder.
    pub fn run(&self, line: &str) -> Answer {
        self.run_words(&line.split_whitespace().collect::<Vec<_>>())
    }

    pub fn run_words(&self, words: &[&str]) -> Answer {
        let output = recurve().args(words).current_dir(self.0.path()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Answer { code: output.status.code(), stdout: output.stdout, stderr }
    }

    /// The names of all files, temporary ones included.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A text that is easy to learn.
pub fn rhyme() -> String {
    "Row, row, row your boat, gently down the stream. ".repeat(40)
}

/// A folder with `text.txt`, and a small model of it in `model.rcv`.
pub fn trained(flags: &str) -> Folder {
    let folder = Folder::new().with("text.txt", rhyme());
    let answer = folder.run(&format!("train text.txt {SMALL} --out model.rcv --json --quiet {flags}"));
    answer.json();
    folder
}

/// A model that a debug build trains in no time.
pub const SMALL: &str = "--hidden 12 --batch 4 --window 8 --lr 0.02";

/// Its sizes alone.
pub const SIZES: &str = "--hidden 12 --batch 4 --window 8";
