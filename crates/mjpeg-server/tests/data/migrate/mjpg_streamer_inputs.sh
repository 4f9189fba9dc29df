#!/bin/sh
# Two cameras of the network and a webcam behind one port.
LOGIN='me:hunter2'
PORT=8080
cd /opt/mjpg-streamer || exit 1
export LD_LIBRARY_PATH=.
# ./mjpg_streamer -i "input_uvc.so" -o "output_http.so"
exec ./mjpg_streamer \
    -i "input_http.so -H camera-1.example -p 8001 -r /video.mjpg -c $LOGIN" \
    -i 'input_uvc.so -d /dev/video0 -r VGA -y -q 80' \
    -i "input_ptp2.so" \
    -o "output_http.so -p ${PORT} -c 'viewer:secret'" \
    -o "output_file.so -f /tmp/pictures -d 15000" > /dev/null 2>&1 &
