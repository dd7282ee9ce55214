/** Pictures made anew for pushes that ask for it, and for sources that RTMP cannot carry. */
import { bool, integer, number } from "../field.ts";

export const transcoding = {
  transcoding_disabled: bool(
    false,
    "Refuse pushes that need another picture than the publisher sends.",
  ),
  transcoding_keep_aspect_ratio: bool(
    true,
    "Fit a push that asks for width and height by its height; false makes exactly that size, with bars.",
  ),
  transcoding_fps: number(
    30,
    1,
    120,
    "Frames per second of a transcoded push that asks for no rate.",
  ),
  transcoding_max_cpu_percent: integer(
    85,
    0,
    100,
    "CPU of the whole machine up to which video encoders are started; 0 is without limit.",
  ),
};
