//! The system calls of V4L2: requests, the structs that they pass, and mapped buffers.
//!
//! The one room of the workspace with `unsafe` code. No library has these calls without bindgen and
//! libclang; see docs/decisions.md. All that is exported is safe to call with any arguments.

#![allow(
    unsafe_code,
    reason = "ioctl and mmap have no safe form; each use says why it is sound"
)]

use std::{
    fs::File,
    io,
    marker::PhantomData,
    mem,
    ops::Range,
    os::fd::{AsRawFd, BorrowedFd},
    ptr::{self, NonNull},
    slice,
};

use tokio::io::{Interest, unix::AsyncFd};

/// A struct that a request passes to the kernel and back.
///
/// # Safety
///
/// Any bytes are a value of it, also those that the kernel may leave. It holds no address that a
/// request of this file makes the kernel read or write at.
pub(super) unsafe trait Argument: Copy {
    /// Makes one with all fields 0, as requests want those to be that they do not use.
    fn zeroed() -> Self {
        // SAFETY: any bytes are a value.
        unsafe { mem::zeroed() }
    }
}

/// A request with an argument of this type.
pub(super) struct DeviceRequest<T> {
    number: libc::Ioctl,
    /// Its name, for errors.
    pub(super) name: &'static str,
    argument: PhantomData<fn(T)>,
}

impl<T: Argument> DeviceRequest<T> {
    const fn new(number: libc::Ioctl, name: &'static str) -> Self {
        Self {
            number,
            name,
            argument: PhantomData,
        }
    }
}

/// Makes a request of a device. One that a signal interrupts is made again.
pub(super) fn call<T: Argument>(
    device: BorrowedFd<'_>,
    request: &DeviceRequest<T>,
    argument: &mut T,
) -> io::Result<()> {
    loop {
        let fd = device.as_raw_fd();
        // SAFETY: the number of a request contains the size of its argument, and the kernel copies
        // that many bytes from and to the address (`video_usercopy`); a driver that knows the
        // request by another size refuses it. The argument is borrowed mutably meanwhile, and
        // whatever bytes come back are a value of it.
        let done = unsafe { libc::ioctl(fd, request.number, ptr::from_mut(argument)) };
        if done >= 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Lets a device be waited for. Never exchange the file within.
pub(super) fn watched(device: File) -> io::Result<AsyncFd<File>> {
    // A device that is gone is reported as an error, with or without anything to read.
    let interest = Interest::READABLE | Interest::ERROR;
    // SAFETY: a `File` owns its descriptor, which stays open and the same for as long as it lives.
    let watched = unsafe { AsyncFd::register_with_interest(device, interest) };
    Ok(watched?)
}

/// A buffer of a device, mapped for reading.
#[derive(Debug)]
pub(super) struct Mapping {
    at: NonNull<u8>,
    len: usize,
}

// SAFETY: it is memory that no thread owns, and it is only read.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `len` bytes of a device from the offset that it has named.
    pub(super) fn new(device: BorrowedFd<'_>, len: usize, offset: u32) -> io::Result<Self> {
        #[allow(
            clippy::unnecessary_fallible_conversions,
            reason = "it has 32 bits in some C libraries"
        )]
        let offset = libc::off_t::try_from(offset).map_err(io::Error::other)?;
        let fd = device.as_raw_fd();
        let (protection, flags) = (libc::PROT_READ, libc::MAP_SHARED);
        // SAFETY: the kernel chooses the address, so the mapping replaces none.
        let at = unsafe { libc::mmap(ptr::null_mut(), len, protection, flags, fd, offset) };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let at = NonNull::new(at.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { at, len })
    }

    /// The length in bytes.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Appends a range of the buffer, which must be dequeued. What is beyond its end is left out.
    pub(super) fn append_to(&self, out: &mut Vec<u8>, range: Range<usize>) {
        let end = range.end.min(self.len);
        let start = range.start.min(end);
        // SAFETY: the range lies in the mapping, which lives as long as `self`. While the buffer is
        // dequeued the driver does not write to it (V4L2, "Streaming I/O (Memory Mapping)"). If a
        // faulty device writes all the same, it does so from outside of the program, as to any
        // memory that is shared with hardware; the slice is read once, by this copy, and nothing
        // depends on the bytes before they are in `out`. A mapping of V4L2 buffers outlives the
        // device: after an unplug it can be read without a fault.
        let bytes = unsafe { slice::from_raw_parts(self.at.as_ptr().add(start), end - start) };
        out.extend_from_slice(bytes);
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is that of the mapping, and no reference into it is left.
        unsafe { libc::munmap(self.at.as_ptr().cast(), self.len) };
    }
}

/// `struct v4l2_capability`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Capability {
    pub(super) driver: [u8; 16],
    pub(super) card: [u8; 32],
    pub(super) bus_info: [u8; 32],
    pub(super) version: u32,
    pub(super) capabilities: u32,
    pub(super) device_caps: u32,
    reserved: [u32; 3],
}

/// `struct v4l2_fmtdesc`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct FormatDescription {
    pub(super) index: u32,
    pub(super) kind: u32,
    pub(super) flags: u32,
    pub(super) description: [u8; 32],
    pub(super) pixel_format: u32,
    mbus_code: u32,
    reserved: [u32; 3],
}

/// `struct v4l2_frmsizeenum`. If it is discrete, only the least size counts.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct FrameSizes {
    pub(super) index: u32,
    pub(super) pixel_format: u32,
    pub(super) kind: u32,
    pub(super) sizes: [u32; 6],
    reserved: [u32; 2],
}

/// `struct v4l2_fract`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Fraction {
    pub(super) numerator: u32,
    pub(super) denominator: u32,
}

/// `struct v4l2_frmivalenum`. If it is discrete, only the first interval counts.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct FrameIntervals {
    pub(super) index: u32,
    pub(super) pixel_format: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) kind: u32,
    pub(super) intervals: [Fraction; 3],
    reserved: [u32; 2],
}

/// `struct v4l2_pix_format`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct PixelFormat {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) pixel_format: u32,
    pub(super) field: u32,
    bytes_per_line: u32,
    pub(super) size_image: u32,
    rest: [u32; 6],
}

/// `struct v4l2_format` of a capture device: a union of 200 bytes, aligned like an address.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct FormatArgument {
    pub(super) kind: u32,
    aligned: [usize; 0],
    pub(super) pixels: PixelFormat,
    rest: [u8; 152],
}

/// `struct v4l2_streamparm` of a capture device: a union of 200 bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct StreamParameters {
    pub(super) kind: u32,
    pub(super) capability: u32,
    capture_mode: u32,
    pub(super) time_per_frame: Fraction,
    rest: [u32; 46],
}

/// `struct v4l2_requestbuffers`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct BufferRequest {
    pub(super) count: u32,
    pub(super) kind: u32,
    pub(super) memory: u32,
    rest: [u32; 2],
}

/// `struct v4l2_buffer` of mapped memory, for which the union `m` begins with the offset.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct BufferArgument {
    pub(super) index: u32,
    pub(super) kind: u32,
    pub(super) bytes_used: u32,
    pub(super) flags: u32,
    field: u32,
    /// As wide as the C library has it; the number of the request says how wide.
    pub(super) timestamp: libc::timeval,
    timecode: [u32; 4],
    pub(super) sequence: u32,
    pub(super) memory: u32,
    pub(super) place: MappedPlace,
    pub(super) length: u32,
    rest: [u32; 2],
}

/// The union `m` of a [`BufferArgument`]: as long and aligned as an address.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) union MappedPlace {
    offset: u32,
    address: usize,
}

impl MappedPlace {
    /// The offset of a buffer of mapped memory.
    pub(super) fn offset(self) -> u32 {
        // SAFETY: any bytes are a number.
        unsafe { self.offset }
    }
}

/// `struct v4l2_queryctrl`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct ControlQuery {
    pub(super) id: u32,
    pub(super) kind: u32,
    pub(super) name: [u8; 32],
    pub(super) minimum: i32,
    pub(super) maximum: i32,
    pub(super) step: i32,
    pub(super) default: i32,
    pub(super) flags: u32,
    reserved: [u32; 2],
}

/// `struct v4l2_control`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct ControlValue {
    pub(super) id: u32,
    pub(super) value: i32,
}

// SAFETY: numbers and arrays of numbers, without an address.
unsafe impl Argument for Capability {}
// SAFETY: as above.
unsafe impl Argument for FormatDescription {}
// SAFETY: as above.
unsafe impl Argument for FrameSizes {}
// SAFETY: as above.
unsafe impl Argument for FrameIntervals {}
// SAFETY: as above. The members of its union that hold addresses are those of other kinds of
// device than the capture of single-planar pictures; `VIDIOC_S_FMT` and `VIDIOC_G_FMT` follow them
// for overlays only, and `kind` comes from this crate.
unsafe impl Argument for FormatArgument {}
// SAFETY: as above. It is a part of that one.
unsafe impl Argument for PixelFormat {}
// SAFETY: as above.
unsafe impl Argument for StreamParameters {}
// SAFETY: as above.
unsafe impl Argument for BufferRequest {}
// SAFETY: as above. Its union holds an address for memory of the user's and for several planes
// only; neither is ever asked for.
unsafe impl Argument for BufferArgument {}
// SAFETY: as above.
unsafe impl Argument for ControlQuery {}
// SAFETY: as above.
unsafe impl Argument for ControlValue {}
// SAFETY: a number.
unsafe impl Argument for u32 {}

const V: u32 = b'V' as u32;

macro_rules! requests {
    ($($name:ident, $of:ident $make:ident $nr:literal;)*) => {
        $(pub(super) const $name: DeviceRequest<$of> =
            DeviceRequest::new(libc::$make::<$of>(V, $nr), concat!("VIDIOC_", stringify!($name)));)*
    };
}

requests! {
    QUERYCAP, Capability _IOR 0;
    ENUM_FMT, FormatDescription _IOWR 2;
    G_FMT, FormatArgument _IOWR 4;
    S_FMT, FormatArgument _IOWR 5;
    REQBUFS, BufferRequest _IOWR 8;
    QUERYBUF, BufferArgument _IOWR 9;
    QBUF, BufferArgument _IOWR 15;
    DQBUF, BufferArgument _IOWR 17;
    STREAMON, u32 _IOW 18;
    G_PARM, StreamParameters _IOWR 21;
    S_PARM, StreamParameters _IOWR 22;
    G_CTRL, ControlValue _IOWR 27;
    S_CTRL, ControlValue _IOWR 28;
    QUERYCTRL, ControlQuery _IOWR 36;
    S_INPUT, u32 _IOWR 39;
    ENUM_FRAMESIZES, FrameSizes _IOWR 74;
    ENUM_FRAMEINTERVALS, FrameIntervals _IOWR 75;
}

/// The sizes that the kernel states for its structs, on 64 and on 32 bits.
const _: () = {
    let is_64 = size_of::<usize>() == 8;
    assert!(size_of::<Capability>() == 104);
    assert!(size_of::<FormatDescription>() == 64);
    assert!(size_of::<FrameSizes>() == 44);
    assert!(size_of::<FrameIntervals>() == 52);
    assert!(size_of::<PixelFormat>() == 48);
    assert!(size_of::<FormatArgument>() == if is_64 { 208 } else { 204 });
    assert!(size_of::<StreamParameters>() == 204);
    assert!(size_of::<BufferRequest>() == 20);
    assert!(size_of::<ControlQuery>() == 68);
    assert!(size_of::<ControlValue>() == 8);
    // On 32 bits, with a time of 4 or of 8 bytes.
    let buffer = match (is_64, size_of::<libc::timeval>(), align_of::<u64>()) {
        (true, _, _) => 88,
        (false, 8, _) => 68,
        (false, _, 4) => 76,
        (false, _, _) => 80,
    };
    assert!(size_of::<BufferArgument>() == buffer);
};
