//! A provider and a mytoken server that are strict about copies, on loopback in this process.

use std::sync::{Arc, Mutex};

use tokio::runtime::Runtime;
use toktui::desktop::SystemClock;
use toktui::domain::secret::Secret;
use toktui::domain::time::Clock;
use toktui::sandbox::mytoken::{self, Issued, Mytokens, Order, Rotation};
use toktui::sandbox::op::{self, Op};
use toktui::sandbox::serve::{Server, bind};

use crate::books::Books;
use crate::home::wait;

/// The givers, and the runtime that they answer on while the test waits for processes.
pub struct Giver {
    pub runtime: Runtime,
    pub op: Op,
    pub issuer: String,
    /// What the provider renewed.
    pub logins: Books,
    pub mytokens: Mytokens,
    pub server: String,
    /// What the mytoken server renewed.
    pub mine: Books,
    issued: Mutex<Vec<String>>,
    ports: [u16; 2],
    _servers: [Server; 2],
}

impl Giver {
    pub fn open() -> Self {
        Self::with(true)
    }

    /// Givers whose refresh tokens are for one use, or stay.
    pub fn with(rotates: bool) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (logins, mine) = (Books::default(), Books::default());
        let (op, mytokens, servers) = runtime.block_on(async {
            let (op_door, server_door) = (bind(0).await.unwrap(), bind(0).await.unwrap());
            let issuer = format!("{}/realms/proof", op_door.base());
            let mut settings =
                op::Settings { device_interval: 1, access_life: 3600, ..op::Settings::new(issuer) };
            settings.clients.iter_mut().for_each(|client| client.rotates = rotates);
            let op = Op::new(settings, Arc::clone(&clock)).unwrap();
            let settings = mytoken::Settings {
                issuer: server_door.base(),
                guest: true,
                polling_interval: 1,
                ..mytoken::Settings::default()
            };
            let mytokens = Mytokens::new(settings, Arc::clone(&clock)).unwrap();
            let servers =
                [op_door.serve(logins.on(op.handler())), server_door.serve(mine.on(mytokens.handler()))];
            (op, mytokens, servers)
        });
        let issuer = op.settings().issuer.clone();
        let server = servers[1].base();
        let ports = [servers[0].address().port(), servers[1].address().port()];
        Self {
            runtime,
            op,
            issuer,
            logins,
            mytokens,
            server,
            mine,
            issued: Mutex::default(),
            ports,
            _servers: servers,
        }
    }

    /// The config file of a user of these givers.
    pub fn config(&self) -> String {
        format!(
            "[provider.op]\nname = \"Proof\"\nissuer = \"{}\"\nclient_id = \"toktui\"\n\
             scopes = [\"openid\", \"profile\", \"email\", \"offline_access\"]\nrefresh_returns_refresh = true\n\n\
             [store]\nsession = false\nguard = \"key-file\"\n\n\
             [mytoken.mt]\nname = \"Proof mytoken\"\naddress = \"{}\"\n",
            self.issuer, self.server
        )
    }

    /// A mytoken that rotates at every use, and dies with all made from it when an older copy comes.
    pub fn rotating_mytoken(&self) -> Issued {
        let rotation = Rotation { on_at: true, on_other: false, lifetime: 0, auto_revoke: true };
        let order = Order {
            name: Some("proof".to_owned()),
            rotation: Some(rotation),
            refresh_token: Some(Secret::new("any")),
            ..Order::default()
        };
        self.issue(order)
    }

    /// A mytoken that is issued without a login.
    pub fn issue(&self, order: Order) -> Issued {
        let issued = self.mytokens.issue(order).unwrap();
        self.issued.lock().unwrap().push(issued.mytoken.expose().to_owned());
        issued
    }

    /// The mytokens that were issued without a login.
    pub fn issued(&self) -> Vec<String> {
        self.issued.lock().unwrap().clone()
    }

    /// How many old copies were presented to anybody, and what else a good client never does.
    pub fn stale(&self) -> u64 {
        u64::from(self.op.counts().reuses) + self.mytokens.stale_presentations()
    }

    /// Waits until the givers have worked every request that a process sent before it died.
    pub fn settle(&self) {
        /// The other end has closed, ours has not: a request may still be read (`include/net/tcp_states.h`).
        const CLOSE_WAIT: &str = "08";
        wait("end of a dead process's connection", || {
            let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
            !table.lines().skip(1).any(|line| {
                let mut fields = line.split_ascii_whitespace().skip(1);
                let (local, state) = (fields.next().unwrap_or_default(), fields.nth(1).unwrap_or_default());
                let port = local.rsplit(':').next().and_then(|port| u16::from_str_radix(port, 16).ok());
                state == CLOSE_WAIT && port.is_some_and(|port| self.ports.contains(&port))
            })
        });
    }
}
