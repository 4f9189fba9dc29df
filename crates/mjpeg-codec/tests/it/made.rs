//! Handmade frames with a code so simple that the blocks of a scan can be counted on paper.

/// A frame to make. Each block of its scans is `010`: no change of DC (`0`), end of block (`10`).
#[derive(Clone, Copy)]
pub(crate) struct Made<'a> {
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// The sampling factors of each component: horizontal, vertical.
    pub(crate) samplings: &'a [u8],
    /// The components of each scan by index. Empty means one scan of all components.
    pub(crate) scans: &'a [&'a [u8]],
    /// The tables that all components select: DC, AC.
    pub(crate) tables: u8,
    pub(crate) restart_interval: u16,
}

impl<'a> Made<'a> {
    pub(crate) fn gray(width: u16, height: u16) -> Self {
        Self {
            width,
            height,
            samplings: &[0x11],
            scans: &[],
            tables: 0x00,
            restart_interval: 0,
        }
    }

    pub(crate) fn frame(&self, scan: &[u8]) -> Vec<u8> {
        self.frame_of_scans(&[scan])
    }

    pub(crate) fn frame_of_scans(&self, scans: &[&[u8]]) -> Vec<u8> {
        self.frame_with(scans, &[])
    }

    /// Puts each of `before` before the scan header of the scan in the same place.
    pub(crate) fn frame_with(&self, scans: &[&[u8]], before: &[&[u8]]) -> Vec<u8> {
        let [y1, y2] = self.height.to_be_bytes();
        let [x1, x2] = self.width.to_be_bytes();
        let mut header = vec![8, y1, y2, x1, x2, self.samplings.len() as u8];
        for (id, &sampling) in (0..).zip(self.samplings) {
            header.extend([id, sampling, 0]);
        }
        let mut frame = vec![0xFF, 0xD8];
        frame.extend(segment(0xC0, &header));
        frame.extend(Self::dht(0x00, &[1], &[0]));
        // `0` is never used.
        frame.extend(Self::dht(0x10, &[1, 1], &[0x01, 0x00]));
        if self.restart_interval > 0 {
            frame.extend(segment(0xDD, &self.restart_interval.to_be_bytes()));
        }
        let all: Vec<u8> = (0..self.samplings.len() as u8).collect();
        let all = [&all[..]];
        let headers = if self.scans.is_empty() {
            &all
        } else {
            self.scans
        };
        assert_eq!(headers.len(), scans.len(), "each scan has its header");
        for (i, (components, data)) in headers.iter().zip(scans).enumerate() {
            frame.extend(*before.get(i).unwrap_or(&&[][..]));
            let mut header = vec![components.len() as u8];
            for &component in *components {
                header.extend([component, self.tables]);
            }
            header.extend([0, 63, 0]);
            frame.extend(segment(0xDA, &header));
            frame.extend(*data);
        }
        frame.extend([0xFF, 0xD9]);
        frame
    }

    /// A DHT segment of one table; lengths beyond those given have no codes.
    pub(crate) fn dht(selector: u8, counts: &[u8], values: &[u8]) -> Vec<u8> {
        let mut payload = vec![selector];
        payload.extend(counts);
        payload.resize(17, 0);
        payload.extend(values);
        segment(0xC4, &payload)
    }
}

/// Makes the data of a scan with this many blocks.
pub(crate) fn scan_of(blocks: usize) -> Vec<u8> {
    scan_of_bits(&[0, 1, 0].repeat(blocks))
}

/// Makes the data of a scan from bits, filled up with ones.
pub(crate) fn scan_of_bits(bits: &[u8]) -> Vec<u8> {
    let byte = |bits: &[u8]| (0..8).fold(0, |byte, i| byte << 1 | bits.get(i).unwrap_or(&1));
    bits.chunks(8).map(byte).collect()
}

fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u16 + 2;
    [&[0xFF, marker][..], &length.to_be_bytes(), payload].concat()
}
