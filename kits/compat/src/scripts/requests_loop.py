"""Reads a stream with requests and ignores multipart, as many scripts do: a picture is what lies
between FF D8 and the next FF D9. Saves each picture: requests_loop.py URL FOLDER
"""

import sys

import requests

url, folder = sys.argv[1:]
response = requests.get(url, stream=True, timeout=15)
response.raise_for_status()
data = b""
number = 0
for chunk in response.iter_content(chunk_size=1024):
    data += chunk
    start = data.find(b"\xff\xd8")
    end = data.find(b"\xff\xd9", max(start, 0))
    if start >= 0 and end >= 0:
        with open(f"{folder}/{number:05}.jpg", "wb") as file:
            file.write(data[start : end + 2])
        number += 1
        data = data[end + 2 :]
