import { realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { fail } from "../contract/failures.ts";

/**
 * The absolute path of `name` inside `directory`. Rejects with `Failure` `soundFileNotFound` when there
 * is no such file or the name (or a link) leads out of the directory.
 */
export async function findSoundFile(directory: string, name: string): Promise<string> {
  try {
    if (name === "" || name.includes("\0")) throw new Error("no file name");
    const root = await realpath(directory);
    const path = await realpath(join(root, name));
    const inside = relative(root, path);
    if (inside.startsWith("..") || isAbsolute(inside)) throw new Error("outside of the directory");
    if (!(await stat(path)).isFile()) throw new Error("not a file");
    return path;
  } catch (error) {
    throw fail("soundFileNotFound", "soundFile: the media directory has no such file", error);
  }
}
