DEVICE=/dev/video0
sudo ustreamer -d "$DEVICE" -m jpeg -p 8081 --host=:: &
sh -c "nice ustreamer -d ${OTHER:-/dev/video2} -r 640x480 -p 8082 --host cam.local"
ustreamer -d webcam -p 8083
