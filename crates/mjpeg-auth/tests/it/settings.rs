//! Settings that are refused, and how that is said.

use mjpeg_auth::{Auth, AuthConfig, Right, Rights, StreamSet, User, hash_password, hash_token};

fn alice() -> User {
    User::new("alice").unwrap()
}

#[test]
fn errors_name_the_user_and_the_setting_and_no_secret() {
    let long = "x".repeat(65);
    for name in ["", "a:b", "a\nb", &long] {
        let error = User::new(name).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("user {name:?}: a name has")),
            "{error}"
        );
    }
    let good = hash_password("secret");
    let cheap = "m=65536,t=3,p=4";
    for bad in [
        "",
        "secret",
        "$2y$10$abcdefghijklmnopqrstuv",
        &good.replace("argon2id", "argon2i"),
        &good.replace("v=19", "v=16"),
        &good.replace("m=19456", "m=262145"),
        &good.replace("t=2", "t=17"),
        &good.replace("p=1", "p=17"),
        good.rsplit_once('$').unwrap().0,
    ] {
        let error = alice().with_password_hash(bad).unwrap_err().to_string();
        assert!(
            error.starts_with("user \"alice\": password_hash must"),
            "{error}"
        );
        assert!(bad.is_empty() || !error.contains(bad), "{error}");
    }
    let elsewhere = good.replace("m=19456,t=2,p=1", cheap);
    assert!(alice().with_password_hash(&elsewhere).is_ok());
    let digest = hash_token("t");
    for bad in [
        "",
        "sha256:",
        &digest[7..],
        &digest[..70],
        &digest.replace(':', "="),
    ] {
        let error = alice().with_token_hash(bad).unwrap_err().to_string();
        assert!(
            error.starts_with("user \"alice\": token_hash must"),
            "{error}"
        );
    }
    assert!(
        alice()
            .with_token_hash(&digest.to_uppercase().replace("SHA", "sha"))
            .is_ok()
    );
    for bad in ["", "ab", &"g".repeat(64), &"é".repeat(32)] {
        let error = alice().with_certificate(bad).unwrap_err().to_string();
        assert!(
            error.starts_with("user \"alice\": certificate must"),
            "{error}"
        );
    }
}

#[test]
fn users_lists_and_strangers_are_checked_together() {
    let refused = |config| Auth::new(config).unwrap_err().to_string();
    let config = || AuthConfig::default().with_user(alice());
    assert_eq!(
        refused(config().with_user(alice())),
        "user \"alice\": there is another user of this name"
    );
    let token = |name: &str| User::new(name).unwrap().with_token_hash(&hash_token("t"));
    let two = [token("bob").unwrap(), token("carol").unwrap()];
    assert_eq!(
        refused(two.into_iter().fold(config(), AuthConfig::with_user)),
        "user \"carol\": token_hash is also that of \"bob\""
    );
    let print = "ab".repeat(32);
    let certified = |name: &str| User::new(name).unwrap().with_certificate(&print);
    let two = [certified("bob").unwrap(), certified("carol").unwrap()];
    assert_eq!(
        refused(two.into_iter().fold(config(), AuthConfig::with_user)),
        "user \"carol\": certificate is also that of \"bob\""
    );
    assert_eq!(
        refused(config().with_view("door", ["alice", "bob"])),
        "stream \"door\": view names \"bob\", and there is no such user"
    );
    let control = Rights::of([Right::View, Right::Control]);
    assert_eq!(
        refused(config().with_anonymous(control)),
        "anonymous: control needs users"
    );
    let many = |n: usize| {
        let users = (0..n).map(|n| User::new(format!("user{n}")).unwrap());
        users.fold(AuthConfig::default(), AuthConfig::with_user)
    };
    assert!(Auth::new(many(1000)).is_ok());
    assert_eq!(refused(many(1001)), "there may be 1000 users");
}

#[test]
fn settings_that_are_refused_change_nothing() {
    let auth = Auth::new(AuthConfig::default().with_user(alice())).unwrap();
    let before = auth.config();
    let bad = AuthConfig::default().with_view("door", ["nobody"]);
    assert!(auth.replace(bad).is_err());
    assert_eq!(auth.config(), before);
}

#[test]
fn rights_and_streams_are_sets_with_names() {
    for right in Right::ALL {
        assert_eq!(right.to_string().parse(), Ok(right));
    }
    let error = "View".parse::<Right>().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("unknown right \"View\"; the rights are view, push")
    );
    let rights = Rights::of([Right::Metrics, Right::View]);
    assert_eq!(
        rights.iter().collect::<Vec<_>>(),
        [Right::View, Right::Metrics]
    );
    assert_eq!(format!("{rights:?}"), "{View, Metrics}");
    assert_eq!(StreamSet::of(["a", "*"]), StreamSet::ALL);
    let some = StreamSet::of(["b", "a"]);
    assert_eq!(some.names().unwrap().collect::<Vec<_>>(), ["a", "b"]);
    assert!(!some.contains(None) && StreamSet::ALL.contains(None));
}
