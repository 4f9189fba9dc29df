//! What may cross threads.

use mjpeg_fanout::{
    Consumer, Demand, Producer, Published, Recorder, RecorderConfig, Status, Turn, Viewing,
};

#[test]
fn public_types_cross_threads() {
    fn all<T: Send + Sync + Unpin + 'static>() {}
    all::<Producer>();
    all::<Consumer>();
    all::<Published>();
    all::<Recorder>();
    all::<RecorderConfig>();
    all::<Status>();
    all::<Demand>();
    all::<Turn>();
    all::<Viewing>();
}
