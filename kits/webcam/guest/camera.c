// A webcam behind v4l2loopback: writes JPEG images to the device, 30 per second, for ever. Keeps
// the number of those it has written in the file /frames.
//
// camera DEVICE WIDTH HEIGHT FILE...

#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static char image[4 << 20];

int main(int count, char **arguments) {
    struct v4l2_format format;
    struct v4l2_streamparm rate;
    struct timespec due;
    char text[32];
    int device = open(arguments[1], O_RDWR), frames = open("/frames", O_RDWR | O_CREAT, 0644);
    memset(&format, 0, sizeof format);
    format.type = V4L2_BUF_TYPE_VIDEO_OUTPUT;
    format.fmt.pix.width = atoi(arguments[2]);
    format.fmt.pix.height = atoi(arguments[3]);
    format.fmt.pix.pixelformat = V4L2_PIX_FMT_MJPEG;
    format.fmt.pix.sizeimage = 1 << 20;
    memset(&rate, 0, sizeof rate);
    rate.type = V4L2_BUF_TYPE_VIDEO_OUTPUT;
    rate.parm.output.timeperframe.numerator = 1;
    rate.parm.output.timeperframe.denominator = 30;
    if (device < 0 || ioctl(device, VIDIOC_S_FMT, &format) < 0) return perror("camera"), 1;
    ioctl(device, VIDIOC_S_PARM, &rate);
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (long written = 0;; written++) {
        int file = open(arguments[4 + written % (count - 4)], O_RDONLY);
        ssize_t length = read(file, image, sizeof image);
        close(file);
        if (write(device, image, length) != length) perror("camera");
        pwrite(frames, text, sprintf(text, "%ld\n", written + 1), 0);
        due.tv_nsec += 1000000000 / 30;
        if (due.tv_nsec >= 1000000000) due.tv_sec++, due.tv_nsec -= 1000000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
}
