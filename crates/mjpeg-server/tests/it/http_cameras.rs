//! Cameras that speak HTTP, played by foreign web servers: lighttpd, with logins, and ffmpeg.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
    time::Duration,
};

use mjpeg_testkit::{Viewer, jpeg};
use tokio::time::{sleep, timeout};

use crate::{
    process::Server,
    sources::{Folder, Killed, MISSING, ffmpeg, free_addr, relayed, sees},
};

const PASSWORD: &str = "hunter/2";

/// lighttpd with a stream and a picture in each of the folders `basic`, `md5` and `sha256`, named
/// after the login that they require.
struct Lighttpd {
    addr: SocketAddr,
    _server: Killed,
    _folder: Folder,
}

impl Lighttpd {
    async fn start(name: &str) -> Self {
        let folder = Folder::new(&format!("{name}.www"));
        let (root, addr) = (folder.0.display().to_string(), free_addr());
        for login in ["basic", "md5", "sha256"] {
            let path = folder.0.join(login);
            fs::create_dir_all(&path).unwrap();
            for n in 0..2 {
                fs::write(path.join(format!("{n}.jpg")), jpeg::sized(n, 64, 48)).unwrap();
            }
            fs::write(path.join("stream.cgi"), STREAM).unwrap();
            fs::write(path.join("shot.cgi"), SHOT).unwrap();
        }
        fs::write(folder.0.join("users"), format!("me:{PASSWORD}\n")).unwrap();
        let config = CONFIG
            .replace("ROOT", &root)
            .replace("PORT", &addr.port().to_string());
        let config_file = folder.0.join("lighttpd.conf");
        fs::write(&config_file, config).unwrap();
        let mut command = Command::new("/usr/sbin/lighttpd");
        command
            .arg("-D")
            .arg("-f")
            .arg(config_file)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = Killed(command.spawn().expect(MISSING));
        let up = async {
            while TcpStream::connect(addr).is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(20), up)
            .await
            .expect("lighttpd listens");
        Self {
            addr,
            _server: server,
            _folder: folder,
        }
    }

    fn url(&self, password: &str, path: &str) -> String {
        let password = password.replace('/', "%2F");
        format!("http://me:{password}@{}/{path}", self.addr)
    }
}

const CONFIG: &str = r#"
server.modules = ("mod_auth", "mod_authn_file", "mod_cgi")
server.document-root = "ROOT"
server.bind = "127.0.0.1"
server.port = PORT
server.stream-response-body = 1
cgi.assign = (".cgi" => "/bin/sh")
auth.backend = "plain"
auth.backend.plain.userfile = "ROOT/users"
auth.require = (
    "/basic" => ("method" => "basic", "realm" => "camera", "require" => "valid-user"),
    "/md5" => ("method" => "digest", "algorithm" => "MD5", "realm" => "camera", "require" => "valid-user"),
    "/sha256" => ("method" => "digest", "algorithm" => "SHA-256", "realm" => "camera", "require" => "valid-user"),
)
"#;

const STREAM: &str = r"
printf 'Content-Type: multipart/x-mixed-replace;boundary=b\r\n\r\n--b\r\n'
while :; do
    for n in 0 1; do
        printf 'Content-Type: image/jpeg\r\n\r\n'; cat $n.jpg; printf '\r\n--b\r\n'
        sleep 0.05
    done
done
";

/// Writes another picture each time.
const SHOT: &str = r"
n=$(cat n 2>/dev/null || echo 0)
echo $((1 - n)) > n
printf 'Content-Type: image/jpeg\r\n\r\n'
cat $n.jpg
";

/// Reads pictures until 6 differed from the one before.
async fn sees_both(server: &Server) {
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    sees(&mut viewer, 6, 64).await;
}

#[tokio::test]
async fn lighttpd_is_read_with_basic_and_digest_and_the_password_is_told_nowhere() {
    let camera = Lighttpd::start("logins").await;
    for login in ["basic", "md5", "sha256"] {
        for path in ["stream.cgi", "shot.cgi#fps=20"] {
            let source = camera.url(PASSWORD, &format!("{login}/{path}"));
            let stream = format!("s={source}@127.0.0.1:0");
            let mut server = Server::start(&["--log", "trace", "run", "--stream", &stream], 1);
            sees_both(&server).await;
            server.end_by("TERM");
            let told = server.urls.concat() + &server.rest_of_stdout() + &server.stderr();
            assert!(told.contains("camera online"), "{told}");
            assert!(!told.contains("hunter"), "{told}");
        }
    }
}

#[tokio::test]
async fn lighttpd_that_refuses_the_password_is_told_so() {
    let camera = Lighttpd::start("refusal").await;
    for (source, told) in [
        (
            camera.url("wrong", "md5/stream.cgi"),
            "refuses the user name or the password",
        ),
        (
            format!("http://{}/sha256/shot.cgi", camera.addr),
            "asks for a user name and password",
        ),
        (camera.url(PASSWORD, "basic/none"), "404 Not Found"),
    ] {
        let mut server = relayed(&source);
        let line = server.stderr_until("offline").pop().unwrap();
        assert!(line.contains(told), "{line}");
        server.end_by("TERM");
        let all = line + &server.stderr();
        assert!(!all.contains("wrong") && !all.contains("hunter"), "{all}");
    }
}

#[tokio::test]
async fn ffmpeg_serves_its_pictures_over_http() {
    for format in ["mpjpeg", "mjpeg"] {
        let addr = free_addr();
        let line = format!(
            "-re -f lavfi -i testsrc2=size=160x120:rate=25 -c:v mjpeg -q:v 5 -f {format} \
             -listen 1 http://{addr}/video"
        );
        let _camera = Killed(ffmpeg(&line).spawn().expect(MISSING));
        let server = relayed(&format!("http://{addr}/video"));
        let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
        sees(&mut viewer, 10, 160).await;
    }
}
