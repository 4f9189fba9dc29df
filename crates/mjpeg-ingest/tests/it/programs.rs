//! Programs as sources.

use std::{fs, time::Duration};

use mjpeg_ingest::{InvalidSource, Source};
use mjpeg_testkit::jpeg;
use tokio::time::{sleep, timeout};

use crate::kinds::{Folder, ingest, next};

fn source(command_line: &str) -> Source {
    format!("exec:{command_line}").parse().unwrap()
}

/// Whether the process runs. A zombie does not.
fn lives(id: &str) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", id.trim())).is_ok_and(|stat| !stat.contains(") Z"))
}

#[tokio::test]
async fn frames_come_from_the_output_and_the_error_from_what_was_said() {
    let folder = Folder::new("exec");
    let path = folder.0.join("a file");
    fs::write(&path, [jpeg::numbered(1), jpeg::numbered(2)].concat()).unwrap();
    let script = format!(
        "cat '{}'; echo first >&2; echo 'see http://me:secret@cam/' >&2; exit 3",
        path.display()
    );
    let source = source(&format!("sh -c \"{script}\""));
    let mut ingest = ingest(source);
    for _ in 0..2 {
        assert_eq!(next(&mut ingest).await, Ok(1));
        assert_eq!(next(&mut ingest).await, Ok(2));
        assert_eq!(
            next(&mut ingest).await.unwrap_err(),
            "sh ended (exit status: 3): first / see http://***@cam/"
        );
    }
}

#[tokio::test]
async fn program_has_limits_of_its_own_behind_its_command_line() {
    let silent = source("sleep 60 #stall_limit=200ms");
    assert_eq!(
        silent.to_string(),
        "exec:sleep (1 argument) #stall_limit=200ms"
    );
    let error = next(&mut ingest(silent)).await.unwrap_err();
    assert_eq!(error, "the camera sent nothing for 200ms (stall_limit)");
    // Quoted, it is an argument like others.
    let folder = Folder::new("limits");
    fs::write(folder.0.join("#stall_limit=1ms"), jpeg::numbered(1)).unwrap();
    let path = folder.0.display();
    let quoted = source(&format!(
        "sh -c 'cd {path}; cat \"$0\"; sleep 60' '#stall_limit=1ms'"
    ));
    let mut ingest = ingest(quoted);
    assert_eq!(next(&mut ingest).await, Ok(1));
    let waited = timeout(Duration::from_millis(500), next(&mut ingest)).await;
    assert!(waited.is_err(), "{waited:?}");
}

#[tokio::test]
async fn program_ends_with_all_that_it_has_started() {
    let folder = Folder::new("group");
    let path = folder.0.display();
    fs::write(folder.0.join("frame"), jpeg::numbered(1)).unwrap();
    let script = format!(
        "sleep 600 & echo $! > {path}/child; echo $$ > {path}/self; cat {path}/frame; wait"
    );
    let mut ingest = ingest(source(&format!("sh -c '{script}'")));
    assert_eq!(next(&mut ingest).await, Ok(1));
    let ids: Vec<String> = ["child", "self"]
        .map(|name| fs::read_to_string(folder.0.join(name)).unwrap())
        .into();
    assert!(ids.iter().all(|id| lives(id)));
    drop(ingest);
    let ended = async {
        while ids.iter().any(|id| lives(id)) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(5), ended)
        .await
        .expect("all have ended");
}

#[tokio::test]
async fn program_that_says_much_and_shows_nothing_is_read_along() {
    let folder = Folder::new("chatty");
    fs::write(folder.0.join("frame"), jpeg::numbered(1)).unwrap();
    // More than the buffer of a pipe holds.
    let script = format!(
        "yes | head -c 300000 >&2; cat {}/frame; exec sleep 600",
        folder.0.display()
    );
    assert_eq!(
        next(&mut ingest(source(&format!("sh -c '{script}'")))).await,
        Ok(1)
    );
}

#[tokio::test]
async fn program_that_is_not_there_is_named() {
    let error = next(&mut ingest(source("/no/such/program -x")))
        .await
        .unwrap_err();
    assert!(
        error.starts_with("cannot start /no/such/program: "),
        "{error}"
    );
}

#[test]
fn command_lines_are_read_without_a_shell_and_shown_without_secrets() {
    for (line, shown) in [
        (
            "ffmpeg -i 'rtsp://me:secret@cam/1' -f mjpeg -",
            "exec:ffmpeg (5 arguments)",
        ),
        ("grab --token secret", "exec:grab (2 arguments)"),
        ("/usr/bin/grab secret", "exec:/usr/bin/grab (1 argument)"),
        ("grab", "exec:grab"),
    ] {
        assert_eq!(source(line).to_string(), shown);
    }
    let error = |text: &str| text.parse::<Source>().unwrap_err();
    assert_eq!(error("exec:"), InvalidSource::NoProgram);
    assert_eq!(error("exec:'' a"), InvalidSource::NoProgram);
    assert_eq!(error("exec:a 'b"), InvalidSource::BadQuotes);
}

#[tokio::test]
async fn what_a_program_says_last_holds_no_secret_and_steers_no_terminal() {
    let script = "printf \"pwd=hunter2\\n> Authorization: Basic hunter2\\n\\033[2Jrtsp://me:hunter2@cam \\007\\000\\302\\233\\342\\200\\256x\" >&2";
    let error = next(&mut ingest(source(&format!("sh -c '{script}'"))))
        .await
        .unwrap_err();
    assert!(
        error.contains("pwd=*** / > Authorization: *** / "),
        "{error}"
    );
    assert!(error.contains("\\u{1b}[2Jrtsp://***@cam"), "{error}");
    assert!(error.ends_with("\\u{7}\\u{0}\\u{9b}\\u{202e}x"), "{error}");
    assert!(
        !error.contains("hunter2") && !error.contains(char::is_control),
        "{error}"
    );
}
