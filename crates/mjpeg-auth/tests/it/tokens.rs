//! JSON Web Tokens of an identity provider, signed by `openssl`.

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use mjpeg_auth::{
    Auth, AuthConfig, InvalidAuth, InvalidJwtKeys, JwtConfig, JwtKeys, Means, Right, Rights,
    StreamSet, hash_token,
};
use mjpeg_http::Action;
use mjpeg_testkit::IssuerKey;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::{Site, closed, user};

const ISSUER: &str = "https://login.example.com/";

/// One key of each kind.
static KEYS: LazyLock<[IssuerKey; 3]> = LazyLock::new(|| {
    [("RS256", "rsa"), ("ES256", "p256"), ("EdDSA", "ed25519")]
        .map(|(algorithm, id)| IssuerKey::new(algorithm, id))
});

fn config() -> JwtConfig {
    JwtConfig::new(ISSUER, "cameras").unwrap()
}

fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs_f64()
}

/// The claims of somebody who may view all streams for an hour.
fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "cameras", "sub": "alice", "exp": (now() + 3600.0) as u64,
        "may": ["view"],
    })
}

/// The claims with these others in their place; `null` takes one out.
fn but(change: Value) -> String {
    let mut claims = claims();
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), value.clone()),
        };
    }
    claims.to_string()
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// Nothing for strangers; a user of the file, whom nobody asks about; tokens signed by any of the
/// keys.
fn serve(jwt: JwtConfig) -> Site {
    let auth = Auth::new(closed([user("alice")]).with_jwt(jwt)).unwrap();
    let set = IssuerKey::set(KEYS.iter());
    assert!(auth.set_jwt_keys(JwtKeys::parse(set.as_bytes()).unwrap()));
    Site::serve(&auth)
}

async fn status(site: &Site, token: &str) -> u16 {
    site.status("/door/snapshot", &bearer(token)).await
}

#[tokio::test]
async fn token_of_each_algorithm_shows_who_its_bearer_is() {
    let site = serve(config());
    for key in &*KEYS {
        let token = key.sign(&claims().to_string());
        assert_eq!(status(&site, &token).await, 200, "{token}");
        let header = format!("Bearer {token}");
        let inquiry = site.inquiry(Action::Stream, &[("authorization", &header)]);
        let who = site.auth.identify(&inquiry).await.unwrap();
        assert_eq!((who.name(), who.means()), (Some("jwt:alice"), Means::Jwt));
        // One bit of each part.
        for at in 0..3 {
            let mut parts: Vec<String> = token.split('.').map(Into::into).collect();
            let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(&parts[at]).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            parts[at] = BASE64_URL_SAFE_NO_PAD.encode(bytes);
            assert_eq!(status(&site, &parts.join(".")).await, 401, "part {at}");
        }
    }
    assert_eq!(site.status("/door/snapshot", "").await, 401);
}

#[tokio::test]
async fn token_is_for_this_issuer_audience_and_time() {
    let site = serve(config());
    let now = now();
    let key = &KEYS[1];
    for (change, expected) in [
        (json!({}), 200),
        (json!({ "aud": ["others", "cameras"] }), 200),
        (json!({ "aud": "others" }), 401),
        (json!({ "aud": ["others"] }), 401),
        (json!({ "aud": null }), 401),
        (json!({ "aud": { "cameras": 1 } }), 401),
        (json!({ "iss": "https://login.example.com" }), 401),
        (json!({ "iss": null }), 401),
        (json!({ "iss": [ISSUER] }), 401),
        (json!({ "sub": null }), 401),
        (json!({ "sub": "" }), 401),
        (json!({ "sub": "a\u{1b}[2J" }), 401),
        (json!({ "sub": "a".repeat(255) }), 200),
        (json!({ "sub": "a".repeat(256) }), 401),
        (json!({ "sub": 5 }), 401),
        (json!({ "exp": null }), 401),
        // Half a minute of leeway.
        (json!({ "exp": now - 20.0 }), 200),
        (json!({ "exp": now - 31.0 }), 401),
        (json!({ "exp": (now + 3600.0).to_string() }), 401),
        (json!({ "exp": 1e300 }), 401),
        (json!({ "exp": -1 }), 401),
        (json!({ "exp": 253_402_300_799_u64 }), 200),
        (json!({ "nbf": now + 20.0 }), 200),
        (json!({ "nbf": now + 60.0 }), 401),
        (json!({ "nbf": "0" }), 401),
        (json!({ "may": "view control" }), 200),
        (json!({ "may": { "view": true } }), 401),
        (json!({ "may": ["view", 5] }), 401),
        (json!({ "streams": 5 }), 401),
        (json!({ "streams": "door" }), 200),
        // Somebody with a name, who may not see it.
        (json!({ "streams": ["yard"] }), 404),
        (json!({ "may": null }), 404),
        (json!({ "may": ["admin"] }), 404),
    ] {
        let token = key.sign(&but(change.clone()));
        assert_eq!(status(&site, &token).await, expected, "{change}");
    }
}

#[tokio::test]
async fn token_signed_by_nobody_or_by_what_is_public_is_refused() {
    let site = serve(config());
    let claims = claims().to_string();
    let [rsa, p256, ed25519] = &*KEYS;
    let encode = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None","kid":"rsa"}"#,
        r#"{"alg":"HS256","kid":"rsa"}"#,
        r#"{"kid":"rsa"}"#,
        r#"{"alg":["RS256"],"kid":"rsa"}"#,
        r#"{"alg":"RS512","kid":"rsa"}"#,
        r#"{"alg":"PS256","kid":"rsa"}"#,
        // Another key's algorithm.
        r#"{"alg":"ES256","kid":"rsa"}"#,
        r#"{"alg":"EdDSA","kid":"p256"}"#,
        r#"{"alg":"RS256","kid":"p256"}"#,
        r#"{"alg":"RS256","kid":"nobody"}"#,
        r#"{"alg":"RS256","kid":5}"#,
        r#"{"alg":"RS256","kid":"rsa","crit":["exp"]}"#,
        r#"{"alg":"RS256","kid":"rsa","typ":"logout+jwt"}"#,
        r#"["RS256"]"#,
    ] {
        // Whoever signs it.
        for key in [rsa, p256, ed25519] {
            let token = key.sign_with(header, &claims);
            assert_eq!(status(&site, &token).await, 401, "{header}");
            let (signed, _) = token.rsplit_once('.').unwrap();
            assert_eq!(status(&site, &format!("{signed}.")).await, 401, "{header}");
            assert_eq!(status(&site, signed).await, 401, "{header}");
        }
    }
    // What is signed with a public key as if it were a secret.
    let hmac = |secret: &[u8], header: &str| {
        let signed = format!("{}.{}", encode(header), encode(&claims));
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
        let tag = ring::hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
    };
    for key in [rsa, p256, ed25519] {
        for secret in [key.public_pem(), key.jwk().into_bytes(), Vec::new()] {
            for header in [r#"{"alg":"HS256","kid":"rsa"}"#, r#"{"alg":"HS256"}"#] {
                assert_eq!(status(&site, &hmac(&secret, header)).await, 401);
            }
        }
    }
    // A key of its own, which the token brings along.
    let other = IssuerKey::new("ES256", "p256");
    let header = format!(
        r#"{{"alg":"ES256","jwk":{},"jku":"http://x/"}}"#,
        other.jwk()
    );
    for header in [&*header, r#"{"alg":"ES256","kid":"p256"}"#] {
        assert_eq!(status(&site, &other.sign_with(header, &claims)).await, 401);
    }
    // The only key for the algorithm needs no name; other types of tokens for access are fine.
    for header in [
        r#"{"alg":"ES256"}"#,
        r#"{"alg":"ES256","kid":"p256","typ":"application/at+jwt"}"#,
    ] {
        assert_eq!(status(&site, &p256.sign_with(header, &claims)).await, 200);
    }
}

#[tokio::test]
async fn odd_and_long_tokens_are_refused() {
    let site = serve(config());
    for token in ["..", "a.b.c", "e30.e30.e30", "e30.e30", "a.b.c.d", "."] {
        assert_eq!(status(&site, token).await, 401, "{token}");
    }
    let key = &KEYS[2];
    let padded = |n: usize| key.sign(&but(json!({ "pad": "x".repeat(n) })));
    let bare = padded(0).len();
    // Three bytes are four characters.
    let most = (8192 - bare) / 4 * 3;
    let longest = padded(most);
    assert!((8186..=8192).contains(&longest.len()), "{}", longest.len());
    assert_eq!(status(&site, &longest).await, 200);
    assert_eq!(status(&site, &padded(most + 8)).await, 401);
    let depth = format!(r#"{{"exp":{}1{}}}"#, "[".repeat(2000), "]".repeat(2000));
    assert_eq!(status(&site, &key.sign(&depth)).await, 401);
}

#[tokio::test]
async fn rights_are_those_of_the_token_and_never_those_of_a_user_of_the_same_name() {
    let admin = user("alice").with_rights(Rights::of(Right::ALL));
    let admin = admin.with_token_hash(&hash_token("opaque")).unwrap();
    let jwt = config().with_rights_claim("scope").unwrap();
    let jwt = jwt
        .with_streams_claim("https://example.com/cameras")
        .unwrap();
    let config = AuthConfig::default()
        .with_anonymous(Rights::NONE)
        .with_user(admin)
        .with_view("yard", ["alice"])
        .with_jwt(jwt);
    let auth = Auth::new(config.clone()).unwrap();
    let set = IssuerKey::set(KEYS.iter());
    auth.set_jwt_keys(JwtKeys::parse(set.as_bytes()).unwrap());
    let site = Site::serve(&auth);
    let token = KEYS[0].sign(&but(json!({
        "scope": "openid view", "https://example.com/cameras": ["door"], "may": ["control"],
    })));
    let header = format!("Bearer {token}");
    let inquiry = site.inquiry(Action::Stream, &[("authorization", &header)]);
    let who = auth.identify(&inquiry).await.unwrap();
    let may = |right, stream| auth.may(&who, right, stream);
    assert!(may(Right::View, Some("door")) && !may(Right::Control, Some("door")));
    assert!(!may(Right::View, Some("yard")) && !may(Right::View, None));
    for (path, expected) in [("/door/snapshot", 200), ("/yard/snapshot", 404)] {
        assert_eq!(site.status(path, &bearer(&token)).await, expected, "{path}");
        assert_eq!(site.status(path, &bearer("opaque")).await, 200, "{path}");
    }
    // Tokens count no more when the settings say so, whoever has been identified by one before.
    auth.replace(config.with_jwt(None)).unwrap();
    assert!(!auth.may(&who, Right::View, Some("door")));
    assert_eq!(status(&site, &token).await, 401);
    assert_eq!(status(&site, "opaque").await, 200);
}

#[tokio::test]
async fn token_alone_opens_what_is_closed_where_there_are_no_users() {
    let config = AuthConfig::default()
        .with_anonymous(Rights::NONE)
        .with_jwt(config());
    let auth = Auth::new(config).unwrap();
    let site = Site::serve(&auth);
    let token = KEYS[2].sign(&claims().to_string());
    // There are no keys yet.
    assert_eq!(status(&site, &token).await, 401);
    let set = IssuerKey::set([&KEYS[2]]);
    auth.set_jwt_keys(JwtKeys::parse(set.as_bytes()).unwrap());
    assert_eq!(status(&site, &token).await, 200);
}

#[tokio::test]
async fn viewer_ends_when_the_token_does() {
    let site = serve(config().with_leeway(Duration::ZERO).unwrap());
    let token = KEYS[1].sign(&but(json!({ "exp": now() + 2.0 })));
    let header = format!("Bearer {token}");
    let began = Instant::now();
    let mut viewer = site.watch("", &[("Authorization", &header)]).await;
    site.producers
        .iter()
        .for_each(|producer| crate::publish(producer, 2));
    let ending = async { while let Ok(Some(_)) = viewer.next_frame().await {} };
    timeout(Duration::from_secs(8), ending)
        .await
        .expect("the response ends");
    assert!(began.elapsed() > Duration::from_secs(1), "not at once");
    assert_eq!(status(&site, &token).await, 401);
}

#[tokio::test]
async fn keys_rotate_and_viewers_of_a_key_that_is_gone_end_at_the_recheck() {
    let site = serve(config());
    let [old, new] = ["old", "new"].map(|id| IssuerKey::new("ES256", id));
    let parse = |keys: &[&IssuerKey]| {
        let set = IssuerKey::set(keys.iter().copied());
        JwtKeys::parse(set.as_bytes()).unwrap()
    };
    site.auth.set_jwt_keys(parse(&[&old]));
    let [by_old, by_new] = [&old, &new].map(|key| key.sign(&claims().to_string()));
    let header = format!("Bearer {by_old}");
    let mut viewer = site.watch("", &[("Authorization", &header)]).await;
    // A token whose key is not known tells whoever reads the keys.
    let wanted = site.auth.unknown_jwt_key();
    assert_eq!(status(&site, &by_new).await, 401);
    timeout(Duration::from_secs(5), wanted)
        .await
        .expect("it is told");
    let soon = Duration::from_millis(50);
    assert_eq!(status(&site, &by_old).await, 200);
    assert!(timeout(soon, site.auth.unknown_jwt_key()).await.is_err());

    assert!(site.auth.set_jwt_keys(parse(&[&old, &new])));
    assert!(!site.auth.set_jwt_keys(parse(&[&old, &new])), "the same");
    assert_eq!(status(&site, &by_new).await, 200);
    assert_eq!(site.door.recheck().await.ended, 0);
    assert!(site.auth.set_jwt_keys(parse(&[&new])));
    assert_eq!(status(&site, &by_old).await, 401);
    assert_eq!(site.door.recheck().await.ended, 1);
    let ending = async { while let Ok(Some(_)) = viewer.next_frame().await {} };
    timeout(Duration::from_secs(8), ending)
        .await
        .expect("the response ends");
}

#[test]
fn keys_of_other_kinds_are_left_out_and_key_sets_have_bounds() {
    let [rsa, p256, ed25519] = &*KEYS;
    let set = |keys: &[String]| format!(r#"{{"keys":[{}]}}"#, keys.join(","));
    let parse = |text: &str| JwtKeys::parse(text.as_bytes());
    assert_eq!(parse(&IssuerKey::set(KEYS.iter())).unwrap().len(), 3);
    let small = rsa.jwk().replace("\"e\":\"AQAB\"", "\"e\":\"AQABAQAB\"");
    for other in [
        r#"{"kty":"oct","k":"c2VjcmV0","kid":"rsa","alg":"HS256"}"#.to_owned(),
        rsa.jwk().replace("\"use\":\"sig\"", "\"use\":\"enc\""),
        rsa.jwk()
            .replace("\"use\":\"sig\"", "\"key_ops\":[\"encrypt\"]"),
        rsa.jwk().replace("\"use\":\"sig\"", "\"alg\":\"RS512\""),
        rsa.jwk().replace("\"n\":\"", "\"n\":\"!"),
        small,
        r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#.into(),
        p256.jwk().replace("P-256", "P-384"),
        p256.jwk().replace("\"y\":\"", "\"y\":\"AA"),
        ed25519.jwk().replace("Ed25519", "X25519"),
        r#"{"kty":5}"#.into(),
        "5".into(),
    ] {
        let refused = parse(&set(std::slice::from_ref(&other)));
        assert_eq!(refused, Err(InvalidJwtKeys::NoneUsable), "{other}");
        let found = parse(&set(&[other.clone(), p256.jwk()]));
        assert_eq!(found.unwrap().len(), 1, "{other}");
    }
    for nothing in ["", "{}", "[]", "{\"keys\":{}}", "{\"keys\":[", "\u{feff}{}"] {
        assert_eq!(parse(nothing), Err(InvalidJwtKeys::NoKeySet), "{nothing}");
    }
    let many = |n| set(&vec![ed25519.jwk(); n]);
    assert!(parse(&many(100)).is_ok());
    assert_eq!(
        parse(&many(101)),
        Err(InvalidJwtKeys::TooMany { most: 100 })
    );
    let long = |n: usize| {
        let text = IssuerKey::set([ed25519]);
        let pad = " ".repeat(n - text.len());
        text + &pad
    };
    assert!(parse(&long(65_536)).is_ok());
    let most = 65_536;
    assert_eq!(parse(&long(65_537)), Err(InvalidJwtKeys::TooLarge { most }));
}

#[test]
fn settings_of_tokens_have_bounds() {
    for (issuer, audience, setting) in [
        ("", "cameras", "issuer"),
        ("a\n", "cameras", "issuer"),
        (ISSUER, "", "audience"),
        (ISSUER, &*"a".repeat(1025), "audience"),
    ] {
        let refused = JwtConfig::new(issuer, audience).unwrap_err();
        assert_eq!(refused, InvalidAuth::JwtText { setting });
    }
    let config = config();
    assert!(JwtConfig::new(ISSUER, "a".repeat(1024)).is_ok());
    assert!(config.clone().with_rights_claim("").is_err());
    assert!(config.clone().with_streams_claim("").is_err());
    let minutes = |n: u64| Duration::from_secs(60 * n);
    assert_eq!(config.leeway(), Duration::from_secs(30));
    assert!(config.clone().with_leeway(minutes(5)).is_ok());
    let longer = minutes(5) + Duration::from_secs(1);
    let refused = config.with_leeway(longer).unwrap_err();
    assert!(
        refused.to_string().starts_with("leeway must be"),
        "{refused}"
    );
    assert_eq!(StreamSet::default(), StreamSet::ALL);
}
