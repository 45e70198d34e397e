//! Several processes, some of which are killed.
//!
//! A test starts its own program again, and a variable tells the child what to do.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::StoreOutcome;
use sr_auth_store::{BackendFault, SqliteBackend};

use crate::fixture::{Place, adopt, apply, commit, key, owner, pulse, record, wait};

const STORE: &str = "SR_AUTH_STORE_TEST_FILE";
/// Before each line of a child, so that it is told from what the test program prints.
const MARK: &str = "child: ";

/// Returns the store of this child; `None` in the test itself.
fn store_of_child() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a child is told so what it is")]
    std::env::var_os(STORE).map(PathBuf::from)
}

fn say(line: impl std::fmt::Display) {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "\n{MARK}{line}").unwrap();
}

/// The command that starts `test` as a child, behind the words of another program.
fn command(before: &[&str], test: &str, store: &Path) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut words = before.iter().map(PathBuf::from).chain([program]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args([test, "--exact", "--nocapture"]).env(STORE, store);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).stdin(Stdio::null());
    command
}

fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    lines.filter_map(|line| line.strip_prefix(MARK).map(str::to_owned))
}

#[test]
fn what_was_answered_is_there_after_a_kill() {
    const NAME: &str = "process::what_was_answered_is_there_after_a_kill";
    if let Some(path) = store_of_child() {
        let backend = SqliteBackend::open(&path).unwrap();
        for number in 0.. {
            let key = key(&format!("{}/{number}", std::process::id()));
            wait(apply(&backend, adopt(&key, 1))).unwrap();
            say(key);
        }
    }
    let place = Place::new();
    let mut answered = Vec::new();
    for round in 1..=6 {
        let mut child = command(&[], NAME, &place.path()).spawn().unwrap();
        let lines = lines(&mut child);
        answered.extend(lines.take(7 * round));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(answered.len(), 7 * (1 + 2 + 3 + 4 + 5 + 6));
    let backend = SqliteBackend::open(&place.path()).unwrap();
    for grant in &answered {
        assert!(wait(record(&backend, &key(grant))).is_some(), "{grant}");
    }
}

#[test]
fn several_processes_take_turns_and_no_rotation_is_lost() {
    const NAME: &str = "process::several_processes_take_turns_and_no_rotation_is_lost";
    const TIMES: u64 = 25;
    let acme = key("acme");
    if let Some(path) = store_of_child() {
        let backend = SqliteBackend::open(&path).unwrap();
        let by = owner(u8::try_from(std::process::id() % 200).unwrap());
        let mut done = 0;
        while done < TIMES {
            let before = wait(record(&backend, &acme)).unwrap().generation.number();
            let number = u8::try_from(before % 250).unwrap();
            let answer = wait(apply(&backend, commit(&acme, before, by, number))).unwrap();
            // The one who rotated stands in the ledger; the others' turn comes again.
            if let StoreOutcome::Done(record) = answer.outcome {
                done += u64::from(record.ledger.last().unwrap().owner == Some(by));
            }
        }
        say("done");
        return;
    }
    let place = Place::new();
    let backend = SqliteBackend::open(&place.path()).unwrap();
    wait(apply(&backend, adopt(&acme, 255))).unwrap();
    let mut children: Vec<_> =
        (0..3).map(|_| command(&[], NAME, &place.path()).spawn().unwrap()).collect();
    for child in &mut children {
        assert_eq!(lines(child).collect::<Vec<_>>(), ["done"]);
        assert!(child.wait().unwrap().success());
    }
    let generation = wait(record(&backend, &acme)).unwrap().generation.number();
    assert_eq!(generation, 1 + 3 * TIMES);
}

#[test]
fn processes_that_make_the_file_at_once_make_one_store() {
    const NAME: &str = "process::processes_that_make_the_file_at_once_make_one_store";
    if let Some(path) = store_of_child() {
        let backend = SqliteBackend::open(&path).unwrap();
        let outcome = wait(apply(&backend, pulse(true, 0))).unwrap().outcome;
        let StoreOutcome::Pulse(pulse) = outcome else { panic!("a pulse is answered with one") };
        say(pulse.store.0);
        return;
    }
    for round in 0..3 {
        let place = Place::new();
        let mut children: Vec<_> =
            (0..5).map(|_| command(&[], NAME, &place.path()).spawn().unwrap()).collect();
        let mut names: Vec<String> = children.iter_mut().flat_map(lines).collect();
        children.iter_mut().for_each(|it| assert!(it.wait().unwrap().success(), "{round}"));
        assert_eq!(names.len(), 5, "round {round}");
        names.dedup();
        assert_eq!(names.len(), 1, "round {round}");
    }
}

/// Root may write what nobody may, unless it gives that power up.
fn without_override(path: &Path) -> &'static [&'static str] {
    let is_root = std::fs::OpenOptions::new().write(true).open(path).is_ok();
    if is_root { &["setpriv", "--bounding-set=-dac_override,-dac_read_search"] } else { &[] }
}

#[cfg(unix)]
#[test]
fn a_file_that_must_not_be_written_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    const NAME: &str = "process::a_file_that_must_not_be_written_is_told";

    if let Some(path) = store_of_child() {
        let error = SqliteBackend::open(&path).expect_err("it must not be opened");
        assert_eq!(error.failure(), StoreFailure::NotDone);
        say(error.code());
        return;
    }
    let place = Place::new();
    let set = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let tell = |name: &str, before: &[&str]| {
        let mut child = command(before, NAME, &place.path()).spawn().unwrap();
        let said: Vec<_> = lines(&mut child).collect();
        child.wait().unwrap();
        assert_eq!(said, ["sr_auth::store::read_only"], "{name}");
    };
    wait(async { apply(&place.open(), adopt(&key("acme"), 1)).await }).unwrap();
    set(&place.path(), 0o400);
    let before = without_override(&place.path());
    tell("the file", before);
    std::fs::remove_file(place.path()).unwrap();
    set(place.folder.path(), 0o500);
    tell("the folder", before);
    set(place.folder.path(), 0o700);
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_takes_no_more_loses_nothing_that_was_answered() {
    const NAME: &str = "process::a_disk_that_takes_no_more_loses_nothing_that_was_answered";
    if let Some(path) = store_of_child() {
        let backend = SqliteBackend::open(&path).unwrap();
        for number in 0.. {
            let key = key(&format!("company/{number}"));
            if let Err(error) = wait(apply(&backend, adopt(&key, 1))) {
                // The connection is opened anew, and reads what there is.
                let first = wait(record(&backend, &crate::fixture::key("company/0")));
                assert!(first.is_some());
                say(error.code());
                assert_eq!(error.fault(), BackendFault::Unreadable);
                return;
            }
            say(key);
        }
    }
    let place = Place::new();
    // No file may become larger than 200 KiB: the limit meets the log in the middle of a commit.
    let limit = ["sh", "-c", "trap '' XFSZ; ulimit -f 400; exec \"$0\" \"$@\""];
    let mut child = command(&limit, NAME, &place.path()).spawn().unwrap();
    let mut said: Vec<_> = lines(&mut child).collect();
    child.wait().unwrap();
    assert_eq!(said.pop().as_deref(), Some("sr_auth::store::unreadable"));
    assert!(said.len() > 3, "{said:?}");
    let backend = SqliteBackend::open(&place.path()).unwrap();
    for grant in &said {
        assert!(wait(record(&backend, &key(grant))).is_some(), "{grant}");
    }
}
