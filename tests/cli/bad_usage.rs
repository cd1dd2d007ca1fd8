//! Exit code 2: command lines that make no sense, whatever the files hold.

use crate::run::Folder;

#[test]
fn values_out_of_range_name_their_flag() {
    let folder = Folder::new();
    for (line, flag) in [
        ("train --hidden 0", "--hidden"),
        ("train --batch 0", "--batch"),
        ("train --window 0", "--window"),
        ("train --epochs 0", "--epochs"),
        ("train --steps 0", "--steps"),
        ("train --lr 0", "--lr"),
        ("train --lr -1", "--lr"),
        ("train --hidden -3", "--hidden"),
        ("train --lr nan", "--lr"),
        ("train --clip 0", "--clip"),
        ("train --dropout 1", "--dropout"),
        ("train --dropout=-0.1", "--dropout"),
        ("train --weight-decay=-1", "--weight-decay"),
        ("train --schedule linear", "--schedule"),
        ("train --keep worst", "--keep"),
        ("train --patience 0", "--patience"),
        ("train --valid 1", "--valid"),
        ("train --valid=-0.1", "--valid"),
        ("train --max-seconds 0", "--max-seconds"),
        ("train --cell transformer", "--cell"),
        ("train --cell embedding", "--cell"),
        ("train --layers 0", "--layers"),
        ("train --layers 9", "--layers"),
        ("train --embedding 0", "--embedding"),
        ("bench step --layers 9", "--layers"),
        ("train --optimizer lion", "--optimizer"),
        ("train --clean all", "--clean"),
        ("train --seed=-1", "--seed"),
        ("train --checkpoint c --checkpoint-every 0", "--checkpoint-every"),
        ("train --checkpoint c --checkpoint-every 1m", "--checkpoint-every"),
        ("train --checkpoint-every 5", "--checkpoint <FILE>"),
        ("sample m --temperature -1", "--temperature"),
        ("sample m --top-k 0", "--top-k"),
        ("sample m --length 0", "--length"),
        ("inspect m --batch 0", "--batch"),
        ("baseline t --order 0", "--order"),
        ("baseline t --order 65", "--order"),
        ("baseline t --valid 0", "--valid"),
        ("bench step --vocab 65536", "--vocab"),
        ("bench train --seconds 0", "--seconds"),
        ("bench train --lanes wide", "--lanes"),
    ] {
        folder.run(line).refused(2, &[flag]);
    }
}

#[test]
fn flags_that_contradict_each_other() {
    let folder = Folder::new();
    folder.run("train --valid 0 --patience 3").refused(2, &["--patience", "--valid"]);
    folder.run("train --optimizer sgd --weight-decay 0.1").refused(2, &["--weight-decay", "adam"]);
    folder
        .run("train --hidden 3 --train head,2")
        .refused(2, &["--train", "\"2\"", "w_xh, w_hh, b_h, w_hq, b_q"]);
}

#[test]
fn unknown_and_missing_words() {
    let folder = Folder::new();
    folder.run("train --hiden 5").refused(2, &["--hiden", "there is --hidden"]);
    folder.run("learn").refused(2, &["learn"]);
    folder.run("trian").refused(2, &["trian", "there is train"]);
    folder.run("eval").refused(2, &["<MODEL>", "<TEXT>"]);
    folder.run("train a b").refused(2, &["'b'"]);
    assert_eq!((folder.run("").code, folder.run("bench").code), (Some(2), Some(2)));
}
