//! What is too open to pass.

use super::check::checked;

#[test]
fn control_that_strangers_could_reach_does_not_pass() {
    let listen = |keys: &str| format!("[[listen]]\nserve = [\"control\"]\n{keys}\n");
    let local = "address = \"127.0.0.1:8080\"\n";
    let user = "[[users]]\nname = \"alice\"\ntoken_hash = \"sha256:TOKEN\"\nmay = [\"control\"]\n";
    let user = user.replace("TOKEN", &"0".repeat(64));
    let viewer = user.replace("control", "view");
    for (keys, why) in [
        ("address = \"[::]:8080\"", "others can reach"),
        ("address = \"192.168.1.2:8080\"", "others can reach"),
        ("address = 8080", "others can reach"),
        (
            &[local, "base_path = \"/cams\""].concat(),
            "a reverse proxy",
        ),
        (
            &[local, "trusted_proxies = [\"127.0.0.1\"]"].concat(),
            "a reverse proxy",
        ),
    ] {
        for more in ["", &viewer] {
            let (code, out) = checked(&[&*listen(keys), more].concat());
            let is_said = out.contains("needs a user who may control") && out.contains(why);
            assert!(code == Some(1) && is_said, "{keys}: {out}");
        }
        let (code, out) = checked(&[&*listen(keys), &*user].concat());
        assert_eq!(code, Some(0), "{keys}: {out}");
    }
    for keys in [local, "address = \"[::1]:8080\"", "unix = \"/run/x.sock\""] {
        let (code, out) = checked(&listen(keys));
        assert_eq!(code, Some(0), "{keys}: {out}");
    }
    let anonymous = "[auth]\nanonymous = [\"view\", \"control\"]\n";
    let (code, out) = checked(&[&*listen(local), anonymous, &user].concat());
    let is_said = out.contains("nobody may control this without credentials");
    assert!(code == Some(1) && is_said, "{out}");
}
