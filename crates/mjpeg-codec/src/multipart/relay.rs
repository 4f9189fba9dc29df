//! What relays tell one another about the frames that they pass on.
//!
//! A relay that reads another one names itself in the request ([`VIA`]). Only then does the other
//! one describe each part ([`RelayHeaders`]), so that capture times, repeats and outages survive
//! the hop, and a relay that reads itself is found out.

use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    str::FromStr,
    sync::OnceLock,
    time::Duration,
};

use crate::stamp::FrameId;

/// The request and response header in which relays name themselves: [`Via`].
pub const VIA: &str = "x-mjpeg-via";

/// Identifies a running relay: a random number, chosen anew by each process.
///
/// On the wire it is 16 hexadecimal digits.
///
/// ```
/// use mjpeg_codec::multipart::RelayId;
///
/// let id = RelayId::new(0x00c0_ffee);
/// assert_eq!(id.to_string(), "0000000000c0ffee");
/// assert_eq!("0000000000c0ffee".parse(), Ok(id));
/// assert!("c0ffee".parse::<RelayId>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RelayId(u64);

impl RelayId {
    /// Makes an identity of a random number.
    pub fn new(random: u64) -> Self {
        Self(random)
    }

    /// Returns the identity of this process.
    pub fn of_this_process() -> Self {
        static ID: OnceLock<RelayId> = OnceLock::new();
        // The standard library's source of randomness; this crate needs no other.
        *ID.get_or_init(|| Self(RandomState::new().hash_one(0)))
    }
}

impl fmt::Display for RelayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for RelayId {
    type Err = InvalidVia;

    fn from_str(text: &str) -> Result<Self, InvalidVia> {
        let is_hex = text.len() == ID_DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16);
        number.ok().filter(|_| is_hex).map(Self).ok_or(InvalidVia)
    }
}

/// The relays that frames pass through: the nearest first, separated by commas on the wire.
///
/// A request holds the relay that asks. A response holds the relay that answers, the relay that it
/// reads, and so on up to the camera.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Via(Vec<RelayId>);

impl Via {
    /// The most relays that may stand between a camera and a viewer.
    pub const MAX_HOPS: usize = 4;

    /// The relays of this one's upstream, with this one in front.
    pub fn through(id: RelayId, upstream: &Self) -> Self {
        Self([&[id], &upstream.0[..]].concat())
    }

    /// Returns the relays, the nearest first.
    pub fn ids(&self) -> &[RelayId] {
        &self.0
    }

    /// Returns whether frames pass through this relay.
    pub fn contains(&self, id: RelayId) -> bool {
        self.0.contains(&id)
    }

    /// Returns whether there are more relays than [`MAX_HOPS`](Self::MAX_HOPS).
    pub fn is_too_long(&self) -> bool {
        self.0.len() > Self::MAX_HOPS
    }
}

/// Reads the value of the header. At most [`MAX_HOPS`](Via::MAX_HOPS) + 1 relays are read, for more
/// are refused.
impl FromStr for Via {
    type Err = InvalidVia;

    fn from_str(text: &str) -> Result<Self, InvalidVia> {
        let ids = text.split(',').take(Self::MAX_HOPS + 1);
        ids.map(|id| id.trim_ascii().parse())
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, id) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma}{id}")?;
        }
        Ok(())
    }
}

/// A relay's name that is not 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidVia;

impl fmt::Display for InvalidVia {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a relay is not 16 hexadecimal digits")
    }
}

impl std::error::Error for InvalidVia {}

/// What a relay says about a part, in the part's headers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "these are the headers; both sides name them all"
)]
pub struct RelayHeaders {
    /// `X-Epoch` and `X-Seq`: the identity that the first relay gave the frame.
    pub id: FrameId,
    /// `X-Age-Us`: how long ago the first relay received the frame, when the part is written.
    /// Microseconds on the wire.
    pub age: Duration,
    /// `X-Online`: `false` if the camera is lost. It is `true` while it is being connected, too.
    pub is_online: bool,
    /// `X-Repeat: 1`: the part is nothing new. It repeats the frame before, or is a picture that
    /// the relay made itself.
    pub is_repeat: bool,
    /// `X-Mjpeg-Via`: the relays that the frame comes through. In each part, because a relay
    /// further up may choose another source at any time.
    pub via: Via,
}

impl RelayHeaders {
    /// The greatest [`age`](Self::age) to believe, 60 s. A frame that is said to be older counts as
    /// captured when it arrives.
    pub const OLDEST: Duration = Duration::from_secs(60);

    /// The names of the headers that say something of a frame, in lower case: these and
    /// `X-Timestamp`.
    pub const NAMES: &[&str] = &[EPOCH, SEQ, AGE_US, ONLINE, REPEAT, VIA, "x-timestamp"];

    /// Reads what the headers of a part, or of an answer with one picture, say. `get` looks one up
    /// by its name in lower case. Returns `None` if no relay wrote them.
    pub fn read<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let number = |name| get(name)?.parse::<u64>().ok();
        let age = number(AGE_US).map(Duration::from_micros);
        Some(Self {
            id: FrameId {
                epoch: number(EPOCH)?,
                seq: number(SEQ)?,
            },
            age: age.unwrap_or_default(),
            is_online: get(ONLINE) != Some("false"),
            is_repeat: get(REPEAT) == Some("1"),
            via: get(VIA)?.parse().ok()?,
        })
    }

    /// Returns the headers as names in lower case and values.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        let repeat = self.is_repeat.then(|| (REPEAT, "1".to_owned()));
        [
            (EPOCH, self.id.epoch.to_string()),
            (SEQ, self.id.seq.to_string()),
            (AGE_US, self.age.as_micros().to_string()),
            (ONLINE, self.is_online.to_string()),
            (VIA, self.via.to_string()),
        ]
        .into_iter()
        .chain(repeat)
    }
}

const EPOCH: &str = "x-epoch";
const SEQ: &str = "x-seq";
const AGE_US: &str = "x-age-us";
const ONLINE: &str = "x-online";
const REPEAT: &str = "x-repeat";

const ID_DIGITS: usize = 16;
