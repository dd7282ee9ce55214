/** Size of a picture in luma samples. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}
