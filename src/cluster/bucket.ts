/** The store that all nodes share, as the cluster needs it: keys whose every value has a revision. */

/** What stands under a key. */
export interface Entry {
  readonly key: string;
  /** Grows with every write to the bucket. */
  readonly revision: number;
  /** Undefined after it was removed. */
  readonly value: string | undefined;
}

/** Every call rejects with `Failure` `clusterUnreachable` when nobody knows what became of it. */
export interface Bucket {
  /** False while the store cannot be reached, or what stands in it is not known yet. */
  readonly ready: boolean;
  read(key: string): Promise<Entry | undefined>;
  /**
   * Writes if revision `expected` stands, 0 for nothing at all; undefined writes whatever stands.
   * Resolves with the new revision; with undefined when another stands.
   */
  write(key: string, value: string, expected: number | undefined): Promise<number | undefined>;
  /** Removes the key if revision `expected` stands. */
  remove(key: string, expected: number): Promise<void>;
}
