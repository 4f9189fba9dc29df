"""Reads a stream with OpenCV, and saves each picture: opencv.py URL FOLDER"""

import sys

import cv2

url, folder = sys.argv[1:]
capture = cv2.VideoCapture(url)
if not capture.isOpened():
    sys.exit("cannot open the stream")
number = 0
while True:
    ok, picture = capture.read()
    if not ok:
        break
    cv2.imwrite(f"{folder}/{number:05}.jpg", picture)
    number += 1
