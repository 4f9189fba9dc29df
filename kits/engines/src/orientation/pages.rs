//! What pages show of a picture with the tag.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result, bail};
use fantoccini::{Client, Locator};
use kit::folder::Temporary;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    corners::{Seen, seen_in},
    programs,
    scene::Scene,
};
use crate::{browser::Browser, front::Front, seen::until};

/// A way to show a picture in a page.
#[derive(Clone, Copy)]
pub(super) enum Way {
    /// Something is painted, and a screenshot taken of it.
    Painted {
        name: &'static str,
        /// Adds the element `#it` to the page.
        script: &'static str,
    },
    /// A script reads the pixels of a canvas.
    Canvas {
        name: &'static str,
        /// Makes what is drawn, `source`, with its sides `w` and `h`.
        script: &'static str,
    },
    /// The stream's own URL is opened as a page.
    AddressBar,
}

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Painted { name, .. } | Self::Canvas { name, .. } => name,
            Self::AddressBar => "address bar, stream",
        }
    }

    /// Looks what is shown in this way.
    pub(super) async fn look(
        self,
        browser: &Browser,
        scene: &Scene,
        front: &Front,
    ) -> Result<Seen> {
        let client = &browser.client;
        match self {
            Self::AddressBar => {
                client.goto(&scene.url("/stream")).await?;
                until(client, "return document.images.length || null").await?;
                sleep(PAINTED).await;
                painted(browser, "img").await
            }
            Self::Painted { script, .. } => {
                open(client, front).await?;
                client.execute(script, vec![]).await?;
                sleep(PAINTED).await;
                painted(browser, "#it").await
            }
            Self::Canvas { script, .. } => {
                open(client, front).await?;
                let script = format!("{CANVAS_HEAD}{script}{CANVAS_TAIL}");
                let read = client.execute_async(&script, vec![]).await?;
                on_canvas(&read)
            }
        }
    }
}

/// Opens an empty page of the origin below which the relay is served too.
pub(super) async fn open(client: &Client, front: &Front) -> Result<()> {
    client.goto("about:blank").await?;
    until(client, "return location.href === 'about:blank' || null").await?;
    client.goto(&format!("http://{}/blank", front.addr)).await?;
    until(
        client,
        "return location.pathname === '/blank' && document.body ? 1 : null",
    )
    .await?;
    Ok(())
}

/// What is painted of an element. WebKitGTK's screenshots show no pictures, so its window is looked
/// at.
async fn painted(browser: &Browser, css: &str) -> Result<Seen> {
    if let Some(screen) = &browser.screen {
        return seen_in(&programs::grab(screen)?);
    }
    let element = browser.client.find(Locator::Css(css)).await?;
    let png = element.screenshot().await?;
    let folder = Temporary::new(&format!("mjpeg-orientation-{}", fastrand::u64(..)))?;
    let file = folder.path().join("shot.png");
    fs::write(&file, png)?;
    seen_in(&programs::as_ppm(&file)?)
}

fn on_canvas(read: &Value) -> Result<Seen> {
    if let Some(error) = read.as_str() {
        bail!("{error}");
    }
    let numbers = read.as_array().context("no pixels")?;
    let numbers: Vec<u64> = numbers.iter().filter_map(Value::as_u64).collect();
    let [width, height, colours @ ..] = &numbers[..] else {
        bail!("too few pixels");
    };
    let byte = |at: usize| {
        let number = colours.get(at).copied();
        number.and_then(|number| u8::try_from(number).ok())
    };
    let mut corners = [[0; 3]; 4];
    for (at, sample) in corners.iter_mut().flatten().enumerate() {
        *sample = byte(at).context("too few pixels")?;
    }
    let side = |side: u64| usize::try_from(side).unwrap_or_default();
    Ok(Seen::of(corners, side(*width), side(*height)))
}

/// Whether a viewer in this engine follows the tag from picture to picture: the values that the
/// camera sent one after another, and what was painted each time.
pub(super) async fn one_by_one(
    browser: &Browser,
    scene: &Scene,
    front: &Front,
) -> Result<Vec<(u8, Seen)>> {
    let client = &browser.client;
    open(client, front).await?;
    let mut all = Vec::new();
    for (at, value) in [6, 1, 3, 8].into_iter().enumerate() {
        scene.send(value)?;
        sleep(PAINTED).await;
        if at == 0 {
            client.execute(IMG_STREAM, vec![json!(null)]).await?;
        }
        sleep(PAINTED).await;
        all.push((value, painted(browser, "#it").await?));
    }
    Ok(all)
}

const IMG_STREAM: &str =
    "document.body.innerHTML = '<img id=it src=\"/stream?n=' + Math.random() + '\">';";

pub(super) const WAYS: [Way; 9] = [
    Way::Painted {
        name: "`<img>`, stream",
        script: IMG_STREAM,
    },
    Way::AddressBar,
    Way::Painted {
        name: "CSS background, stream",
        script: "document.body.innerHTML = '<div id=it></div>'; const s = it.style; \
                 s.width = s.height = '320px'; \
                 s.background = '#000 url(/stream?n=' + Math.random() + ') no-repeat center / contain';",
    },
    Way::Painted {
        name: "`<img>`, snapshot",
        script: "document.body.innerHTML = '<img id=it src=\"/snapshot?n=' + Math.random() + '\">';",
    },
    Way::Painted {
        name: "`<img>`, blob",
        script: "document.body.innerHTML = '<img id=it>'; \
                 fetch('/snapshot').then(r => r.blob()) \
                 .then(b => { it.src = URL.createObjectURL(b); });",
    },
    Way::Painted {
        name: "`<img>` with `image-orientation: none`, stream",
        script: "document.body.innerHTML = '<img id=it style=\"image-orientation: none\" \
                 src=\"/stream?n=' + Math.random() + '\">';",
    },
    Way::Canvas {
        name: "`drawImage` of the `<img>`, stream",
        script: "const source = await shown('/stream?n=' + Math.random()); \
                 const w = source.naturalWidth, h = source.naturalHeight;",
    },
    Way::Canvas {
        name: "`createImageBitmap` of the `<img>`, stream",
        script: "const source = await createImageBitmap(await shown('/stream?n=' + Math.random())); \
                 const w = source.width, h = source.height;",
    },
    Way::Canvas {
        name: "`createImageBitmap` of a blob",
        script: "const source = await createImageBitmap(await (await fetch('/snapshot')).blob()); \
                 const w = source.width, h = source.height;",
    },
];

const CANVAS_HEAD: &str = "
const done = arguments[arguments.length - 1];
const shown = async url => {
  const img = document.createElement('img');
  document.body.append(img);
  img.src = url;
  for (let i = 0; i < 100 && !img.naturalWidth; i++) await new Promise(r => setTimeout(r, 50));
  await new Promise(r => setTimeout(r, 500));
  return img;
};
(async () => {
";
const CANVAS_TAIL: &str = "
  const canvas = document.createElement('canvas');
  canvas.width = w;
  canvas.height = h;
  const context = canvas.getContext('2d');
  context.drawImage(source, 0, 0);
  const at = (x, y) => [...context.getImageData(w * x / 4 | 0, h * y / 4 | 0, 1, 1).data].slice(0, 3);
  return [w, h, ...at(1, 1), ...at(3, 1), ...at(1, 3), ...at(3, 3)];
})().then(done, e => done(String(e)));
";

/// How long a picture takes at most to be painted, and several more to come.
const PAINTED: Duration = Duration::from_millis(900);
