//! The size of a picture in MCUs and blocks.

/// The contents of a frame header (T.81 B.2.2).
#[derive(Debug)]
pub(crate) struct Picture {
    width: u32,
    height: u32,
    components: Vec<Component>,
    /// The largest sampling factors among the components (A.1.1).
    h_max: u32,
    v_max: u32,
}

/// A component as the frame header describes it.
#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) id: u8,
    /// Its sampling factors.
    pub(crate) h: u32,
    pub(crate) v: u32,
    /// Its quantization table.
    pub(crate) table: u8,
    scanned: bool,
}

/// What a scan needs to know of a component.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScannedComponent {
    /// In the frame header, from 0.
    pub(super) place: usize,
    /// In a scan of this component alone.
    pub(super) blocks: u32,
    /// In a scan of several components.
    pub(super) blocks_per_mcu: u32,
}

impl Picture {
    /// Reads a frame header. The size may come from elsewhere. Returns `None` if a sampling factor
    /// is out of bounds.
    pub(super) fn new(width: u16, height: u16, header: &[u8]) -> Option<Self> {
        let (components, _) = header.get(6..)?.as_chunks::<3>();
        let components: Vec<Component> = components
            .iter()
            .map(|&[id, sampling, table]| Component {
                id,
                h: u32::from(sampling >> 4),
                v: u32::from(sampling & 15),
                table,
                scanned: false,
            })
            .collect();
        let mut factors = components.iter().flat_map(|c| [c.h, c.v]);
        if !factors.all(|factor| (1..=4).contains(&factor)) {
            return None;
        }
        Some(Self {
            width: width.into(),
            height: height.into(),
            h_max: components.iter().map(|c| c.h).max()?,
            v_max: components.iter().map(|c| c.v).max()?,
            components,
        })
    }

    /// Notes that a scan holds a component, and returns it. Returns `None` if the component does
    /// not exist or already had its scan.
    pub(super) fn scan_component(&mut self, id: u8) -> Option<ScannedComponent> {
        // Some encoders give all components the same identifier. Decoders take them in order.
        let mut components = self.components.iter();
        let place = components.position(|c| c.id == id && !c.scanned)?;
        self.components[place].scanned = true;
        let component = &self.components[place];
        Some(ScannedComponent {
            place,
            blocks: self.blocks(component),
            blocks_per_mcu: component.h * component.v,
        })
    }

    /// Returns how many blocks the first component without a scan should have, if there is one.
    pub(super) fn missing(&self) -> Option<u32> {
        let missing = self.components.iter().find(|c| !c.scanned)?;
        Some(self.blocks(missing))
    }

    /// Returns the size in samples.
    pub(crate) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Returns the components in their order.
    pub(crate) fn components(&self) -> &[Component] {
        &self.components
    }

    /// Returns how many columns and rows of MCUs a scan of several components has.
    pub(crate) fn size_in_mcus(&self) -> (u32, u32) {
        (
            self.width.div_ceil(8 * self.h_max),
            self.height.div_ceil(8 * self.v_max),
        )
    }

    /// Returns how many MCUs a scan of several components has (A.2.3).
    pub(super) fn mcus(&self) -> u32 {
        let (columns, rows) = self.size_in_mcus();
        columns * rows
    }

    /// Returns how many blocks a component has in a scan of its own (A.1.1 and A.2.2).
    fn blocks(&self, component: &Component) -> u32 {
        let (columns, rows) = self.size_in_blocks(component);
        columns * rows
    }

    /// Returns how many columns and rows of blocks a component has in a scan of its own.
    pub(crate) fn size_in_blocks(&self, component: &Component) -> (u32, u32) {
        let columns = (self.width * component.h).div_ceil(8 * self.h_max);
        let rows = (self.height * component.v).div_ceil(8 * self.v_max);
        (columns, rows)
    }
}
