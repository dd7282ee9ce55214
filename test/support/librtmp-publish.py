"""A publisher that is librtmp, as OBS and rtmpdump are: sends an FLV file in real time.

Usage: librtmp-publish.py URL FILE. Exits with 1 when the server refuses or closes.
"""

import ctypes
import sys
import time

URL, FILE = sys.argv[1], sys.argv[2]
rtmp = ctypes.CDLL("librtmp.so.1")
rtmp.RTMP_Alloc.restype = ctypes.c_void_p
for name in ("RTMP_Init", "RTMP_EnableWrite", "RTMP_Close", "RTMP_IsConnected"):
    getattr(rtmp, name).argtypes = [ctypes.c_void_p]
rtmp.RTMP_SetupURL.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
rtmp.RTMP_Connect.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
rtmp.RTMP_ConnectStream.argtypes = [ctypes.c_void_p, ctypes.c_int]
rtmp.RTMP_Write.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]

session = rtmp.RTMP_Alloc()
rtmp.RTMP_Init(session)
# The library keeps pointers into the text.
address = ctypes.create_string_buffer(URL.encode())
if not rtmp.RTMP_SetupURL(session, address):
    sys.exit("URL")
rtmp.RTMP_EnableWrite(session)
if not rtmp.RTMP_Connect(session, None) or not rtmp.RTMP_ConnectStream(session, 0):
    sys.exit("refused")

flv = open(FILE, "rb").read()
at, start = 13, time.monotonic()
while at < len(flv):
    size = int.from_bytes(flv[at + 1 : at + 4], "big")
    when = int.from_bytes(flv[at + 7 : at + 8] + flv[at + 4 : at + 7], "big") / 1000
    time.sleep(max(0, start + when - time.monotonic()))
    tag = flv[at : at + 11 + size + 4]
    if rtmp.RTMP_Write(session, tag, len(tag)) <= 0:
        sys.exit("closed")
    at += len(tag)
rtmp.RTMP_Close(session)
