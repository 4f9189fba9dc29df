//! Uses only mjpeg-auth: a user logs in by a password, and may see what strangers may not.

use mjpeg_auth::{
    Auth, AuthConfig, Right, Rights, User, Who, hash_password,
    mjpeg_http::{Action, Inquiry},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let alice = User::new("alice")?
        .with_password_hash(&hash_password("secret"))?
        .with_rights(Rights::of([Right::View]));
    let config = AuthConfig::default().with_anonymous(Rights::NONE);
    let auth = Auth::new(config.with_user(alice))?;
    let mut inquiry = Inquiry::new(Action::Stream);
    assert_eq!(auth.identify(&inquiry).await?, Who::STRANGER);
    let value = "Basic YWxpY2U6c2VjcmV0".parse()?;
    inquiry.headers.insert("authorization", value);
    let who = auth.identify(&inquiry).await?;
    assert_eq!(who.name(), Some("alice"));
    assert!(auth.may(&who, Right::View, Some("garage")));
    assert!(!auth.may(&Who::STRANGER, Right::View, Some("garage")));
    Ok(())
}
