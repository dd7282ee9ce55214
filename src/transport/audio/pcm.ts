/** One channel as two. */
export function doubled(mono: Int16Array): Int16Array {
  const pcm = new Int16Array(mono.length * 2);
  for (let i = 0; i < mono.length; i += 1) {
    const sample = mono[i] ?? 0;
    pcm[2 * i] = sample;
    pcm[2 * i + 1] = sample;
  }
  return pcm;
}
