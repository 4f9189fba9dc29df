//! The page of a node says who reads a camera.

use fantoccini::Client;

use super::{Plant, PlantNode, camera, stream};
use crate::{
    browser::Driver,
    page::browsing::{browser, no_violations, until},
};

/// Starts a node with the page.
fn start(plant: &Plant, name: &str, streams: &str) -> PlantNode {
    let file = plant.file(name, streams);
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("\"streams\", ", "\"streams\", \"page\", ");
    plant.start_file(name, &plant.folder.write(&format!("{name}.toml"), text))
}

/// What the full view says who reads the camera.
fn read_by(text: &str) -> String {
    format!(
        "[...document.querySelectorAll('dialog.full dl div')].some((fact) =>
           fact.querySelector('dt').textContent === 'Camera read by' &&
           fact.querySelector('dd').textContent === '{text}')"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_view_says_in_chromium_which_node_reads_the_camera() {
    let driver = Driver::start();
    let browser = browser(&driver).await;
    full_view_says_who_reads(&browser).await;
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_view_says_in_firefox_which_node_reads_the_camera() {
    let Some(driver) = Driver::start_firefox().await else {
        return;
    };
    let browser = driver.firefox().await;
    full_view_says_who_reads(&browser).await;
    browser.close().await.unwrap();
}

async fn full_view_says_who_reads(browser: &Client) {
    let Some(plant) = Plant::new() else { return };
    let camera = camera().await;
    let streams = stream("door", &camera);
    let owner = start(&plant, "relay-1", &streams);
    assert_eq!(owner.owner_of("door").await, "relay-1");
    let other = start(&plant, "relay-2", &streams);
    assert_eq!(other.owner_of("door").await, "relay-1");
    for (node, text) in [(&owner, "relay-1, this relay"), (&other, "relay-1")] {
        let url = format!("{}#door", node.server.urls[0]);
        browser.goto(&url).await.unwrap();
        until(browser, &read_by(text)).await;
        // On a canvas, or as an image.
        let picture = "[...document.querySelectorAll('dialog.full .picture')].some(
            (picture) => (picture.naturalWidth ?? picture.width) === 64)";
        until(browser, picture).await;
    }
    // It says so while it is open.
    let mut owner = owner;
    let (status, _) = owner.server.end_by("TERM");
    assert!(status.success());
    until(browser, &read_by("relay-2, this relay")).await;
}
