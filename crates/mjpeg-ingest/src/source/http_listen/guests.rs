//! Who is connected to an address, and who has to go when there are too many.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::AbortHandle;
use tokio::time::Instant;

use super::stats::{COUNTERS, count};

/// The connections of one address.
#[derive(Debug, Default)]
pub(super) struct Guests(Mutex<GuestList>);

#[derive(Debug, Default)]
struct GuestList {
    next: u64,
    guests: BTreeMap<u64, Guest>,
}

#[derive(Debug)]
struct Guest {
    network: IpAddr,
    /// Since when it has sent no whole request; `None` while one is answered.
    waits_since: Option<Instant>,
    abort: AbortHandle,
}

/// The place of a connection, until it is dropped.
#[derive(Debug)]
pub(super) struct GuestPlace {
    guests: Arc<Guests>,
    id: u64,
}

impl Guests {
    /// Admits a connection. When there are too many, the one that has waited for longest without a
    /// request goes: one of the same network if that has too many, else of the network that has
    /// most. Returns `None` if none can go.
    pub(super) fn admit(
        self: &Arc<Self>,
        address: IpAddr,
        abort: AbortHandle,
        now: Instant,
    ) -> Option<GuestPlace> {
        let network = network(address);
        let mut list = self.list();
        let is_ours = |guest: &Guest| guest.network == network;
        let ours = list.guests.values().filter(|guest| is_ours(guest)).count();
        if ours >= MAX_PER_ADDRESS {
            list.displace(network)?;
        } else if list.guests.len() >= MAX_CONNECTIONS {
            let most = list.most()?;
            list.displace(most)?;
        }
        let id = list.next;
        list.next += 1;
        let waits_since = Some(now);
        list.guests.insert(
            id,
            Guest {
                network,
                waits_since,
                abort,
            },
        );
        let guests = Arc::clone(self);
        Some(GuestPlace { guests, id })
    }

    fn list(&self) -> MutexGuard<'_, GuestList> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GuestList {
    /// The network with most connections.
    fn most(&self) -> Option<IpAddr> {
        let mut counts = BTreeMap::<IpAddr, usize>::new();
        for guest in self.guests.values() {
            *counts.entry(guest.network).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        most.map(|(network, _)| network)
    }

    /// Closes the connection of this network that has waited for longest.
    fn displace(&mut self, network: IpAddr) -> Option<()> {
        let of_network = self
            .guests
            .iter()
            .filter(|(_, guest)| guest.network == network);
        let waiting = of_network.filter_map(|(id, guest)| Some((guest.waits_since?, *id)));
        let (_, id) = waiting.min()?;
        let guest = self.guests.remove(&id)?;
        guest.abort.abort();
        count(&COUNTERS.connections_refused);
        Some(())
    }
}

impl GuestPlace {
    /// Records whether the connection waits for a request.
    pub(super) fn waits(&self, since: Option<Instant>) {
        if let Some(guest) = self.guests.list().guests.get_mut(&self.id) {
            guest.waits_since = since;
        }
    }
}

impl Drop for GuestPlace {
    fn drop(&mut self) {
        self.guests.list().guests.remove(&self.id);
    }
}

/// What counts as one address: of IPv6, the network of 64 bits that a household has.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

/// How many connections an address has (`max_connections`).
pub(super) const MAX_CONNECTIONS: usize = 1024;

/// How many of them may come from one network address (`max_connections_per_address`).
pub(super) const MAX_PER_ADDRESS: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(guests: &Arc<Guests>, last: u8, now: Instant) -> Option<(GuestPlace, AbortHandle)> {
        let (abort, _) = AbortHandle::new_pair();
        let place = guests.admit([192, 0, 2, last].into(), abort.clone(), now)?;
        Some((place, abort))
    }

    #[tokio::test]
    async fn longest_waiting_goes_and_a_request_that_is_answered_stays() {
        let guests = Arc::<Guests>::default();
        let now = Instant::now();
        let mut all: Vec<_> = (0..MAX_PER_ADDRESS)
            .map(|_| admit(&guests, 1, now).expect("there is room"))
            .collect();
        all[0].0.waits(None);
        all.push(admit(&guests, 1, now).expect("another one goes"));
        let gone: Vec<_> = all.iter().map(|(_, abort)| abort.is_aborted()).collect();
        assert_eq!((gone[0], gone[1], gone[2]), (false, true, false));
        // A place whose connection was closed frees no other.
        drop(all.remove(1));
        all.iter().for_each(|(place, _)| place.waits(None));
        assert!(admit(&guests, 1, now).is_none(), "all are being answered");
        assert!(admit(&guests, 2, now).is_some(), "another address has room");
    }

    #[tokio::test]
    async fn network_with_most_connections_gives_way_to_others() {
        let guests = Arc::<Guests>::default();
        let now = Instant::now();
        let crowd: Vec<_> = (0..MAX_PER_ADDRESS)
            .map(|_| admit(&guests, 1, now).expect("there is room"))
            .collect();
        let others: Vec<_> = (0..MAX_CONNECTIONS - MAX_PER_ADDRESS)
            .map(|n| admit(&guests, 2 + (n % 200) as u8, now).expect("there is room"))
            .collect();
        let newcomer = admit(&guests, 255, now);
        assert!(newcomer.is_some());
        let gone = |all: &[(GuestPlace, AbortHandle)]| {
            all.iter().filter(|(_, abort)| abort.is_aborted()).count()
        };
        assert_eq!((gone(&crowd), gone(&others)), (1, 0));
    }

    #[test]
    fn household_is_one_address() {
        let same = |a: &str, b: &str| {
            network(a.parse().expect("an address")) == network(b.parse().expect("an address"))
        };
        assert!(same("2001:db8::1", "2001:db8::ffff:2"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(same("::ffff:192.0.2.1", "192.0.2.1"));
    }
}
