//! The pixels, in the form that the JPEG encoder needs.

use std::convert::Infallible;
use std::fmt;

use embedded_graphics::Pixel;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{Dimensions, DrawTarget, OriginDimensions, RgbColor, Size};
use embedded_graphics::primitives::Rectangle;
use jpeg_encoder::{ImageBuffer, JpegColorType, rgb_to_ycbcr};

/// A drawing surface that takes RGB and keeps one plane each of Y, Cb and Cr.
///
/// Converts colours when they are drawn. A fill thus converts one colour, whereas an RGB surface
/// would convert every pixel for every frame.
#[derive(Clone)]
pub(crate) struct Canvas {
    width: u16,
    height: u16,
    planes: [Vec<u8>; 3],
}

impl Canvas {
    /// Creates a surface filled with one colour.
    pub(crate) fn new(width: u16, height: u16, ground: Rgb888) -> Self {
        let pixels = usize::from(width) * usize::from(height);
        Self {
            width,
            height,
            planes: ycbcr(ground).map(|value| vec![value; pixels]),
        }
    }

    /// Fills an area with one colour.
    pub(crate) fn fill(&mut self, area: Rectangle, color: Rgb888) {
        // Drawing on a canvas cannot fail.
        let Ok(()) = self.fill_solid(&area, color);
    }
}

impl fmt::Debug for Canvas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canvas")
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.width.into(), self.height.into())
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb888>>,
    {
        for Pixel(point, color) in pixels {
            self.fill_solid(&Rectangle::new(point, Size::new_equal(1)), color)?;
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, color: Rgb888) -> Result<(), Infallible> {
        let area = area.intersection(&self.bounding_box());
        if area.is_zero_sized() {
            return Ok(());
        }
        // The area now lies within 0..width and 0..height, so the casts are lossless.
        let (left, top) = (area.top_left.x as usize, area.top_left.y as usize);
        for (plane, value) in self.planes.iter_mut().zip(ycbcr(color)) {
            let rows = plane.chunks_exact_mut(self.width.into());
            for row in rows.skip(top).take(area.size.height as usize) {
                row[left..left + area.size.width as usize].fill(value);
            }
        }
        Ok(())
    }
}

impl ImageBuffer for &Canvas {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.width
    }

    fn height(&self) -> u16 {
        self.height
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let width = usize::from(self.width);
        let start = usize::from(y) * width;
        for (buffer, plane) in buffers.iter_mut().zip(&self.planes) {
            buffer.extend_from_slice(&plane[start..start + width]);
        }
    }
}

fn ycbcr(color: Rgb888) -> [u8; 3] {
    let (y, cb, cr) = rgb_to_ycbcr(color.r(), color.g(), color.b());
    [y, cb, cr]
}
