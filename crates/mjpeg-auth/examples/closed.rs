//! Serves a stream that only `alice` may see, and a link that admits others for a minute.
//!
//! ```text
//! cargo run -p mjpeg-auth --example closed -- [SECONDS]
//! ```
//!
//! Open what it prints in a browser. By default it ends after one second.

use std::{
    env,
    error::Error,
    sync::Arc,
    time::{Duration, SystemTime},
};

use mjpeg_auth::{
    Auth, AuthConfig, LinkAction, LinkSpec, Links, Right, Rights, User, hash_password,
    mjpeg_http::{
        Listener, ListenerConfig, StreamService,
        mjpeg_fanout::{self, mjpeg_codec::Frame},
    },
};

/// A test picture of 160x120.
const JPEG: &[u8] = include_bytes!("picture.jpg");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let alice = User::new("alice")?
        .with_password_hash(&hash_password("secret"))?
        .with_rights(Rights::of([Right::View]));
    let config = AuthConfig::default()
        .with_anonymous(Rights::NONE)
        .with_user(alice);
    // For this run only; `Links::open` keeps them in a directory.
    let links = Links::new(Links::new_key());
    let auth = Auth::with_links(config, links.clone())?;

    let (producer, consumer) = mjpeg_fanout::channel();
    producer.publish_now(Frame::parse(JPEG)?);
    let stream = StreamService::builder(consumer)
        .name("garage")
        .gate(Arc::new(auth))
        .build();
    let listener = Listener::bind("127.0.0.1:0".parse()?, ListenerConfig::default())?;
    let addr = listener.local_addr().ok_or("TCP has an address")?;

    let minute = Duration::from_secs(60);
    let spec = LinkSpec::new("garage", LinkAction::Stream, SystemTime::now() + minute);
    let link = links.create(spec)?;
    println!("as alice, with the password secret: http://{addr}/");
    println!(
        "as anybody, for a minute: http://{addr}/stream?{}",
        link.query()
    );
    let seconds = env::args()
        .nth(1)
        .map_or(Ok(1), |seconds| seconds.parse())?;
    let ended = tokio::time::sleep(Duration::from_secs(seconds));
    listener.serve(stream, ended).await;
    Ok(())
}
