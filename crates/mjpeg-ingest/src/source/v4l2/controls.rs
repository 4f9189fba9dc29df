//! Controls of a camera, such as its brightness, by the names that `v4l2-ctl` gives them.

use super::{
    about::V4l2Control,
    device::{Device, text},
    ioctl::{self, Argument, ControlQuery, ControlValue},
};
use crate::error::{ConnectError, v4l2::V4l2Error};

/// A control that a number can be set of.
#[derive(Clone)]
pub(super) struct DeviceControl {
    id: u32,
    name: String,
    kind: u32,
    flags: u32,
    minimum: i32,
    maximum: i32,
    step: i32,
    default: i32,
}

/// The controls of a device.
pub(super) fn controls(device: &Device) -> Vec<DeviceControl> {
    let mut found = Vec::new();
    let mut last = 0;
    for _ in 0..MOST_CONTROLS {
        let mut asked = ControlQuery::zeroed();
        asked.id = last | NEXT;
        // A driver that counts backwards would go round in circles.
        if device.try_ask(&ioctl::QUERYCTRL, &mut asked).is_err() || asked.id <= last {
            break;
        }
        last = asked.id;
        let is_number = matches!(
            asked.kind,
            INTEGER | BOOLEAN | MENU | BITMASK | INTEGER_MENU
        );
        if !is_number || asked.flags & (DISABLED | READ_ONLY) != 0 {
            continue;
        }
        found.push(DeviceControl {
            id: asked.id,
            name: plain_name(&text(&asked.name)),
            kind: asked.kind,
            flags: asked.flags,
            minimum: asked.minimum,
            maximum: asked.maximum,
            step: asked.step,
            default: asked.default,
        });
    }
    found
}

/// The controls of a device, with their present values.
pub(super) fn described(device: &Device) -> Vec<V4l2Control> {
    let described = controls(device).into_iter().map(|control| V4l2Control {
        value: value(device, control.id),
        is_active: control.flags & INACTIVE == 0,
        name: control.name,
        minimum: control.minimum,
        maximum: control.maximum,
        step: control.step,
        default: control.default,
    });
    described.collect()
}

fn value(device: &Device, id: u32) -> Option<i32> {
    let mut asked = ControlValue { id, value: 0 };
    device.try_ask(&ioctl::G_CTRL, &mut asked).ok()?;
    Some(asked.value)
}

/// Finds the controls that are to be set, before anything of the device is changed.
pub(super) fn wanted(
    device: &Device,
    named: &[(String, i32)],
) -> Result<Vec<(DeviceControl, i32)>, ConnectError> {
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let known = controls(device);
    let find = |(name, value): &(String, i32)| {
        let found = known.iter().find(|control| control.name == *name);
        let control = found.ok_or_else(|| unknown(device, name, &known))?;
        let (minimum, maximum) = (control.minimum, control.maximum);
        // Bits have no least value, and the greatest one may be the sign.
        if control.kind != BITMASK && !(minimum..=maximum).contains(value) {
            return Err(V4l2Error::ControlBounds {
                path: device.path.clone(),
                name: name.clone(),
                minimum,
                maximum,
            });
        }
        Ok((control.clone(), *value))
    };
    let found: Result<_, V4l2Error> = named.iter().map(find).collect();
    Ok(found?)
}

fn unknown(device: &Device, name: &str, known: &[DeviceControl]) -> V4l2Error {
    let known: Vec<_> = known.iter().map(|control| &*control.name).collect();
    V4l2Error::NoControl {
        path: device.path.clone(),
        name: name.to_owned(),
        known: match known.is_empty() {
            true => "it has none".into(),
            false => format!("it has {}", known.join(", ")),
        },
    }
}

/// Sets controls, in their order: one may be in effect only after another.
pub(super) fn set(device: &Device, wanted: &[(DeviceControl, i32)]) -> Result<(), ConnectError> {
    for (control, value) in wanted {
        let (id, value) = (control.id, *value);
        let set = device.try_ask(&ioctl::S_CTRL, &mut ControlValue { id, value });
        set.map_err(|source| V4l2Error::Control {
            path: device.path.clone(),
            name: control.name.clone(),
            source,
        })?;
    }
    Ok(())
}

/// Writes the name of a control in lower case, with an underscore for whatever separates its words:
/// "Exposure, Auto" is `exposure_auto`.
fn plain_name(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join("_").to_ascii_lowercase()
}

/// More than any camera has; a faulty driver may have no end of them.
const MOST_CONTROLS: usize = 256;

/// `V4L2_CTRL_FLAG_NEXT_CTRL`: asks for the control behind this one.
const NEXT: u32 = 0x8000_0000;

const INTEGER: u32 = 1;
const BOOLEAN: u32 = 2;
const MENU: u32 = 3;
const BITMASK: u32 = 8;
const INTEGER_MENU: u32 = 9;

const DISABLED: u32 = 0x01;
const READ_ONLY: u32 = 0x04;
/// It has no effect at present, as an exposure time has none while the exposure is automatic.
const INACTIVE: u32 = 0x10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_v4l2_ctl_prints() {
        for (name, plain) in [
            ("Brightness", "brightness"),
            ("Exposure, Auto", "exposure_auto"),
            (
                "White Balance Temperature, Auto",
                "white_balance_temperature_auto",
            ),
            ("Power Line Frequency ", "power_line_frequency"),
            ("LED1 Mode", "led1_mode"),
            ("\u{1b}[2J", "2j"),
        ] {
            assert_eq!(plain_name(name), plain);
        }
    }
}
