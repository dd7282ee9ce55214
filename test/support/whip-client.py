"""A WHIP client of another make: publishes a test picture and a tone with aiortc until its input ends.

Usage: whip-client.py URL [TOKEN]. Prints one line of JSON when it is connected and one when it has ended.
"""

import asyncio
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer

URL = sys.argv[1]
HEADERS = {"Authorization": "Bearer " + sys.argv[2]} if len(sys.argv) > 2 else {}


def request(method, url, body=None, content_type=None):
    headers = dict(HEADERS)
    if content_type:
        headers["Content-Type"] = content_type
    data = body.encode() if body is not None else None
    try:
        return urllib.request.urlopen(
            urllib.request.Request(url, data=data, headers=headers, method=method)
        )
    except urllib.error.HTTPError as error:
        return error


def say(**fields):
    print(json.dumps(fields), flush=True)


async def main():
    picture = MediaPlayer("testsrc=size=320x240:rate=25", format="lavfi")
    tone = MediaPlayer("sine=frequency=440:sample_rate=48000", format="lavfi")
    connection = RTCPeerConnection()
    connected = asyncio.Event()

    @connection.on("connectionstatechange")
    def changed():
        if connection.connectionState == "connected":
            connected.set()

    connection.addTrack(tone.audio)
    connection.addTrack(picture.video)
    for transceiver in connection.getTransceivers():
        transceiver.direction = "sendonly"
        if transceiver.kind == "video":
            codecs = RTCRtpSender.getCapabilities("video").codecs
            transceiver.setCodecPreferences([c for c in codecs if c.mimeType == "video/H264"])
    await connection.setLocalDescription(await connection.createOffer())
    answer = request("POST", URL, connection.localDescription.sdp, "application/sdp")
    status, location = answer.status, answer.headers.get("Location")
    if status != 201:
        say(status=status)
        return
    await connection.setRemoteDescription(
        RTCSessionDescription(sdp=answer.read().decode(), type="answer")
    )
    await asyncio.wait_for(connected.wait(), 15)
    say(status=status, location=location, type=answer.headers.get("Content-Type"))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    ended = request("DELETE", urllib.parse.urljoin(URL, location))
    await connection.close()
    say(deleted=ended.status)


asyncio.run(main())
