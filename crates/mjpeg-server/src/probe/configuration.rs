//! The configuration for a camera.

use mjpeg_manager::{ProbeReport, mjpeg_ingest::Source};
use serde_json::Value;

use crate::control::masked::has_plain_secret;

/// The configuration for a camera, as TOML. In place of a secret it names environment variables.
pub(super) fn configuration(source: &Source, written: &str, report: &ProbeReport) -> String {
    let mut toml = String::new();
    let text = match written {
        exec if exec.starts_with("exec:") => {
            toml += "# Add the arguments of the program, as you gave them.\n";
            program(exec)
        }
        written if !has_plain_secret(written) => written.to_owned(),
        _ => {
            let (text, names) = with_variables(&source.to_string());
            let names = names.join(" and ");
            toml +=
                &format!("# Set {names} in the relay's environment, or write ${{file:PATH}}.\n");
            text
        }
    };
    // JSON's strings are written alike in TOML.
    toml += &format!(
        "[[streams]]\nname = \"camera\"\nsource = {}\n",
        Value::from(text)
    );
    for (key, value) in report.set() {
        toml += &format!("{key} = {value}\n");
    }
    toml
}

/// A program without its arguments, which may hold secrets.
fn program(source: &str) -> String {
    let words = source.strip_prefix("exec:").and_then(shlex::split);
    let first = words.and_then(|words| words.into_iter().next());
    let quoted = first.and_then(|first| shlex::try_quote(&first).ok().map(|word| word.to_string()));
    format!("exec:{}", quoted.unwrap_or_default())
}

/// Puts environment variables where a source shows that there is a secret.
fn with_variables(shown: &str) -> (String, Vec<String>) {
    let mut names = Vec::new();
    let mut variable = |name: &str| {
        names.push(name.to_owned());
        format!("${{env:{name}}}")
    };
    let (scheme, rest) = shown.split_once("://").unwrap_or(("", shown));
    let (login, rest) = match rest.strip_prefix("***@") {
        Some(rest) => {
            let (user, password) = (variable("CAMERA_USER"), variable("CAMERA_PASSWORD"));
            (format!("{user}:{password}@"), rest)
        }
        None => (String::new(), rest),
    };
    let mut text = format!("{scheme}://{login}");
    for (at, part) in rest.split("***").enumerate() {
        if at > 0 {
            text += &variable(&format!("CAMERA_SECRET_{at}"));
        }
        text += part;
    }
    (text, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_become_variables_and_arguments_are_left_out() {
        let (text, names) = with_variables("http://***@cam/v?user=***#header=x-key:***");
        assert_eq!(
            text,
            "http://${env:CAMERA_USER}:${env:CAMERA_PASSWORD}@cam/v?user=${env:CAMERA_SECRET_1}\
             #header=x-key:${env:CAMERA_SECRET_2}"
        );
        assert_eq!(names.len(), 4);
        assert_eq!(program("exec:'my prog' --token s3cret"), "exec:'my prog'");
    }
}
