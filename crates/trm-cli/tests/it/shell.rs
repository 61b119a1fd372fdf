//! What shells and `man` are told of the flags.

use std::{fs, process::Command};

use crate::support::{error, stdout};
use tempfile::tempdir;

/// Every shell's script names commands and flags.
#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = stdout(&mut trm!["completions", shell]);
        for word in ["completions", "generate", "unpack", "puzzle", "resume"] {
            assert!(script.contains(word), "{shell} is not told of {word}");
        }
    }
}

/// Bash, where there is one, takes the script and completes by it: the flags of a command below another one.
#[test]
fn bash_completes() {
    let folder = tempdir().expect("a folder");
    let script = folder.path().join("trm.bash");
    fs::write(&script, stdout(&mut trm!["completions", "bash"])).expect("written");
    let ask = "source \"$0\"; COMP_WORDS=(trm weights f); COMP_CWORD=2; _trm trm f weights; echo \"${COMPREPLY[@]}\"; \
               COMP_WORDS=(trm data build --so); COMP_CWORD=3; _trm trm --so build; echo \"${COMPREPLY[@]}\"";
    let Ok(bash) = Command::new("bash").args(["--norc", "-c", ask]).arg(&script).output() else {
        println!("SKIPPED bash_completes: there is no bash");
        return;
    };
    assert_eq!(String::from_utf8_lossy(&bash.stdout), "fetch\n--source\n", "{bash:?}");
}

/// A page for each command, with its flags; the folder is made.
#[test]
fn a_man_page_for_each_command() {
    let folder = tempdir().expect("a folder");
    let pages = folder.path().join("share/man/man1");
    let written = stdout(&mut trm!["man", &pages]);
    let named: Vec<&str> = written.lines().collect();
    assert_eq!(named.len(), fs::read_dir(&pages).expect("a folder").count());
    for (page, words) in [
        ("trm.1", ["trm\\-solve(1)", "Tiny Recursive Models"]),
        ("trm-data-generate.1", ["\\-\\-min\\-path", "\\-\\-count"]),
        ("trm-train.1", ["\\-\\-resume", "RECIPE"]),
    ] {
        let page = fs::read_to_string(pages.join(page)).expect(page);
        assert!(page.contains(".TH ") && words.iter().all(|word| page.contains(word)), "{page}");
    }
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    assert!(error(&mut trm!["man", &file]).starts_with("cannot make"));
}
