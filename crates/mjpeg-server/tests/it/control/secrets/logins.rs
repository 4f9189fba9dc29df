//! Those who log in otherwise than by name and password in each request.

use mjpeg_testkit::Viewer;

use super::{said::Said, scene::Scene};

impl Scene {
    /// Logs in as the page does, uses the session for everything, and ends it. The one answer that
    /// sets the cookie is not kept; after that, its value must be nowhere.
    pub(super) async fn log_in_by_page(&mut self) {
        let addr = self.relay.addr();
        let login = r#"{"name":"alice","password":"hunter2-password"}"#;
        let mut begun = Said::default();
        let (status, _) = begun.ask(addr, "POST", "/login", "", login).await;
        assert_eq!(status, 204);
        let cookie = begun.cookie().expect("a cookie");
        let (_, value) = cookie.split_once('=').expect("a value");
        let header = format!("Cookie: {cookie}\r\n");
        self.read_as(&[&header]).await;
        let agent = [("User-Agent", "curl"), ("Cookie", &*cookie)];
        let viewer = Viewer::open_with(addr, "/door/", &agent).await;
        viewer
            .unwrap()
            .next_frame()
            .await
            .unwrap()
            .expect("a frame");
        let foreign = format!("{header}Origin: http://other.example\r\n");
        let own = format!("{header}Origin: http://localhost\r\n");
        for (path, headers, expected) in [
            ("/api/v1/reload?dry_run=true", &foreign, 403),
            ("/api/v1/reload?dry_run=true", &own, 200),
            ("/api/v1/streams/door/pause", &own, 204),
            ("/api/v1/streams/door/resume", &own, 204),
            ("/logout", &foreign, 403),
            ("/logout", &own, 204),
            ("/api/v1/reload?dry_run=true", &own, 401),
        ] {
            let (status, said) = self.ask("POST", path, headers, "{}").await;
            assert_eq!(status, expected, "{path}: {said}");
        }
        let wrong = login.replace("password\"}", "wrong\"}");
        let (status, _) = self.ask("POST", "/login", "", &wrong).await;
        assert_eq!(status, 401);
        self.said.secret(value);
    }

    /// Uses a token of an identity provider for everything, and one that is not valid.
    pub(super) async fn log_in_by_token(&mut self, token: &str) {
        let login = format!("Authorization: Bearer {token}\r\n");
        let (status, _) = self.ask("GET", "/api/v1/config", &login, "").await;
        assert_eq!(status, 200);
        self.read_as(&[&login]).await;
        let (signed, signature) = token.rsplit_once('.').expect("signed");
        let wrong = format!("Authorization: Bearer {signed}.{}\r\n", &signature[1..]);
        let (status, _) = self.ask("GET", "/api/v1/config", &wrong, "").await;
        assert_eq!(status, 401);
        let (_, claims) = signed.split_once('.').expect("claims");
        self.said.secret(claims);
        self.said.secret(&signature[1..]);
    }
}
